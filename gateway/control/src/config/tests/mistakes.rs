//! Mistakes: each found, at its place, with what to write instead; never a panic.

use super::{SMALL, changed, parse_plain};
use crate::config::{LISTED_MAX, parse_str};
use proptest::prelude::*;

/// A mistake: what is replaced by what, the text that must be underlined (in what follows the
/// replacement's beginning, or else before it; what stands before « only finds it), words of the
/// message and words of the hint.
type Case = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

fn check(cases: &[Case]) {
    for (old, new, underlined, what, hint) in cases {
        let text = changed(old, new);
        let errors = parse_plain(&text, None).expect_err(new);
        let shown = errors.to_string();
        let found = errors
            .mistakes
            .iter()
            .find(|m| m.what.contains(what) && m.hint.contains(hint));
        let Some(mistake) = found else {
            panic!("{new}: expected `{what}`, `{hint}`\n{shown}")
        };
        assert_eq!(
            errors.mistakes.len(),
            1,
            "one mistake, one message:\n{shown}"
        );
        let (before, underlined) = underlined.split_once('«').unwrap_or(("", underlined));
        let from = SMALL.find(old).expect("checked");
        let sought = format!("{before}{underlined}");
        let after = text[from..].find(&sought).map(|at| from + at);
        let Some(at) = after.or(text[..from].rfind(&sought)) else {
            panic!("no `{sought}`")
        };
        let at = at + before.len();
        let line = text[..at].matches('\n').count() + 1;
        let column = at - text[..at].rfind('\n').map_or(0, |end| end + 1) + 1;
        assert_eq!((mistake.line, mistake.column), (line, column), "{shown}");
        let marker = format!("--> test.toml:{line}:{column}\n");
        assert!(shown.contains(&marker), "{shown}");
        let first_line = underlined.lines().next().expect("one line");
        assert!(
            shown.contains(&"^".repeat(first_line.chars().count())),
            "{shown}"
        );
    }
}

const KEYS_AND_FORMS: &[Case] = &[
    (
        "qty_max = 50",
        "qty_mx = 50\nqty_max = 50",
        "qty_mx",
        "no key `qty_mx`",
        "`qty_max`?",
    ),
    (
        "[network]",
        "[netwrk]\n[network]",
        "netwrk",
        "no key `netwrk`",
        "`network`?",
    ),
    (
        "rate_burst = 10",
        "rate_burst = \"10\"",
        "\"10\"",
        "a text",
        "whole number from 1 to 1000000",
    ),
    (
        "qty_max = 50",
        "qty_max = 50.5",
        "50.5",
        "a bare decimal",
        "floats",
    ),
    (
        "qty_max = 50",
        "qty_max = 0",
        "0",
        "out of range",
        "from 1 to",
    ),
    (
        "qty_max = 50",
        "qty_max = 99999999999999999999",
        "99999999999999999999",
        "out of range",
        "from 1",
    ),
    (
        "\"20000.00\"",
        "20000.00",
        "20000.00",
        "a bare decimal",
        "`price_max = \"20000.00\"`",
    ),
    (
        "\"20000.00\"",
        "20000",
        "20000",
        "a whole number",
        "`price_max = \"20000\"`",
    ),
    (
        "\"20000.00\"",
        "\"20000.10\"",
        "\"20000.10\"",
        "no whole number of 0.25",
        "multiple of 0.25",
    ),
    (
        "\"20000.00\"",
        "\"-5.00\"",
        "\"-5.00\"",
        "out of range",
        "a price from 0.25",
    ),
    (
        "\"20000.00\"",
        "\"2e4\"",
        "\"2e4\"",
        "'e' does not belong",
        "digits and one point",
    ),
    (
        "\"20000.00\"",
        "\"200000.00\"",
        "\"200000.00\"",
        "beyond the highest price of OUCH 5.0",
        "\"199999.75\"",
    ),
    (
        "\"12.50\"",
        "\"12.5000001\"",
        "\"12.5000001\"",
        "no whole number of 0.000001",
        "money from",
    ),
    (
        "\"12.50\"",
        "\"4294.967296\"",
        "\"4294.967296\"",
        "out of range",
        "to 4294.967295",
    ),
    (
        "\"1_000_000\"",
        "1_000_000.00",
        "1_000_000.00",
        "a bare decimal",
        "floats",
    ),
    (
        "tick = \"0.25\"",
        "tick = \"0\"",
        "\"0\"",
        "not above zero",
        "positive",
    ),
    (
        "tick = \"0.25\"",
        "tick = \"0.00005\"",
        "\"0.00005\"",
        "cannot say a tick",
        "0.0001",
    ),
    (
        "lot = \"1\"",
        "lot = \"0.5\"",
        "\"0.5\"",
        "cannot say a lot",
        "multiple of 1",
    ),
    (
        "lot = \"1\"",
        "lot = \"100000\"",
        "qty_max = «50",
        "beyond the largest order",
        "write 9 at the most",
    ),
    (
        "\"feed\"",
        "\"fed\"",
        "\"fed\"",
        "cannot be \"fed\"",
        "\"feed\"?",
    ),
    (
        "cancel_on_disconnect = true",
        "cancel_on_disconnect = 2",
        "2",
        "out of range",
        "from 0 to 1",
    ),
    (
        "ref_max_age_s = 5",
        "ref_max_age_s = 5\nref_max_age_ns = 5",
        "5\nref_max_age_ns",
        "says again",
        "keep one",
    ),
];

#[test]
fn keys_and_forms() {
    check(KEYS_AND_FORMS);
}

const THE_PROFILE: &[Case] = &[
    (
        "listen = \"127.0.0.1:9000\"",
        "",
        "[network]",
        "lacks `listen`",
        "listen = ",
    ),
    (
        "\"127.0.0.1:9000\"",
        "\"localhost:9000\"",
        "\"localhost:9000\"",
        "no address",
        "127.0.0.1",
    ),
    (
        "[network]",
        "[network]\ncongestion_control = \"vegas\"",
        "\"vegas\"",
        "`congestion_control` cannot be \"vegas\"",
        "one of \"system\", \"reno\"",
    ),
    (
        "kind = \"embedded\"",
        "kind = \"embeded\"",
        "\"embeded\"",
        "cannot be",
        "\"embedded\"?",
    ),
    (
        "kind = \"embedded\"",
        "kind = \"embedded\"\nseed = 1",
        "seed",
        "no key `seed`",
        "kind",
    ),
    (
        "[matching]",
        "[ctl]\nmode = \"0666\"\n[matching]",
        "\"0666\"",
        "to everybody",
        "\"0600\"",
    ),
    (
        "[matching]",
        "[threads]\nidle = \"spin\"\n[matching]",
        "\"spin\"",
        "cannot be",
        "\"busy\", \"yield\"",
    ),
    (
        "[matching]",
        "[capacities]\nlog_ring_bytes = 5000\n[matching]",
        "5000",
        "power of two",
        "8192",
    ),
    (
        "[matching]",
        "[journal]\nstall_ms = 9\n[matching]",
        "9",
        "out of range",
        "from 10",
    ),
    (
        "[matching]",
        "[journal]\nsegment_mib = 4\nfolder_mib_max = 8\n[matching]",
        "folder_mib_max = «8",
        "no room for a start",
        "write 9 or more",
    ),
    (
        "[matching]",
        "[journal]\nfolder_mib_max = 128\n[matching]",
        "128",
        "2 segments of 64 MiB",
        "write 129 or more",
    ),
    (
        "[matching]",
        "[replication]\nlisten = \"10.0.0.1:9100\"\nleader = \"10.0.0.1:9100\"\n[matching]",
        "leader = «\"10.0.0.1:9100\"",
        "this gateway itself listens",
        "the other gateway",
    ),
    (
        "[matching]",
        "[replication]\nlisten = \"0.0.0.0:9100\"\nleader = \"127.0.0.1:9100\"\n[matching]",
        "\"127.0.0.1:9100\"",
        "this gateway itself listens",
        "the other gateway",
    ),
    (
        "[matching]",
        "[capacities]\norders_max = 0\n[matching]",
        "0",
        "out of range",
        "from 1",
    ),
    (
        "[matching]",
        "[capacities]\naccount_rows_spare = 1_000_000_000\n[matching]",
        "1_000_000_000",
        "out of range",
        "262144",
    ),
    (
        "\"USD\"",
        "\"USD\"\nmoney_quantum = \"0.03\"",
        "\"0.03\"",
        "no power of ten",
        "0.01",
    ),
    (
        "\"USD\"",
        "\"USD\"\ntrading_day = \"2026-02-29\"",
        "\"2026-02-29\"",
        "no day",
        "2026-11-23",
    ),
];

#[test]
fn the_profile() {
    check(THE_PROFILE);
}

const WHAT_TIES_PARTS_TOGETHER: &[Case] = &[
    (
        "oi_lower = 100",
        "oi_lower = 201",
        "201",
        "above `oi_upper`",
        "200 or less",
    ),
    (
        "ratio_ppm = 40_000",
        "ratio_ppm = 60_000",
        "[{",
        "above its initial margin",
        "at most",
    ),
    (
        "[{ from_notional = \"0\", ratio_ppm = 50",
        "[{ from_notional = \"1\", ratio_ppm = 50",
        "[{",
        "ascend from 0",
        "begin with",
    ),
    (
        "account_volume_max = 400",
        "account_volume_max = 501",
        "501",
        "trip its breaker alone",
        "write 500",
    ),
    (
        "position_max = 500",
        "position_max = 5_000_000",
        "5_000_000",
        "more money than can be counted",
        "4611686",
    ),
    (
        "class = \"std\"",
        "class = \"sdt\"",
        "\"sdt\"",
        "no class `sdt`",
        "`std`?",
    ),
    (
        "firm = \"north\"",
        "firm = \"nort\"",
        "\"nort\"",
        "no firm `nort`",
        "`north`?",
    ),
    (
        "account = \"a1\"",
        "account = \"a9\"",
        "\"a9\"",
        "no account `a9`",
        "`a1`?",
    ),
    (
        "instruments = \"all\"",
        "instruments = [\"NQ\"]",
        "\"NQ\"",
        "no instrument `NQ`",
        "[[instrument]]",
    ),
    (
        "name = \"a2\"",
        "name = \"a2\"\nclass = \"std\"\nfirm = \"north\"\n[[account]]\nname = \"a2\"",
        "[[account]]\nname = «\"a2\"",
        "is there twice",
        "rename",
    ),
    (
        "name = \"test\"",
        "name = \"a,2\"",
        "\"a,2\"",
        "no name",
        "letters, digits",
    ),
    (
        "ABCD = \"a2\"",
        "abcd = \"a2\"",
        "abcd",
        "firm code",
        "on the wire",
    ),
    (
        "user = \"desk1\"",
        "user = \"desk100\"",
        "\"desk100\"",
        "does not fit",
        "1 to 6",
    ),
    (
        "\"$argon2id$v=19$m=8",
        "\"$argon2id$v=19$m=9999999",
        "\"$argon2id$",
        "costs m=9999999",
        "hash-password",
    ),
    (
        "[[session]]",
        "[[session]]\nengine = {}",
        "{}",
        "not external",
        "remove it",
    ),
    (
        "qty_max = 100",
        "qty_max = 100\nclearing_member = \"nobody\"",
        "\"nobody\"",
        "no firm",
        "[[firm]]",
    ),
    (
        "symbol = \"ES\"",
        "symbol = \"ESESESESE\"",
        "[[instrument]]",
        "longer than OUCH 5.0",
        "8 characters",
    ),
];

#[test]
fn what_ties_parts_together() {
    check(WHAT_TIES_PARTS_TOGETHER);
}

#[test]
fn a_required_limit_is_missed_and_an_optional_one_is_warned_of() {
    let errors = parse_plain(&changed("collar_ppm = 50_000\n", ""), None).expect_err("missing");
    assert_eq!(errors.mistakes.len(), 1);
    assert!(
        errors.mistakes[0]
            .what
            .contains("[[instrument]] lacks `collar_ppm`"),
        "{errors}"
    );
    let config = parse_plain(&changed("loss_max = \"100_000\"\n", ""), None).expect("loads");
    assert_eq!(config.warnings.len(), 1);
    assert!(config.warnings[0].contains("class `std` does not set `loss_max`"));
}

#[test]
fn every_mistake_is_reported_at_once_in_the_order_of_the_file() {
    let text = changed("collar_ppm = 50_000", "collar_pm = 5")
        .replace("qty_max = 50\n", "qty_max = 5.0\n")
        .replace(
            "firm = \"north\"\n\n[[session]]",
            "firm = \"south\"\n\n[[session]]",
        )
        .replace("oi_lower = 100", "oi_lower = 900");
    let errors = parse_plain(&text, None).expect_err("four mistakes and a missing key");
    let lines: Vec<usize> = errors.mistakes.iter().map(|mistake| mistake.line).collect();
    assert_eq!(errors.mistakes.len(), 4, "{errors}");
    assert!(lines.is_sorted(), "{lines:?}");
    assert!(
        errors
            .to_string()
            .ends_with("4 mistakes; nothing was loaded")
    );
}

#[test]
fn a_file_of_nothing_but_mistakes_is_cut_short_and_counted() {
    let text = "[[account]]\n".repeat(1_000);
    let errors = parse_str("many", &text).expect_err("nothing but mistakes");
    assert_eq!(errors.mistakes.len(), LISTED_MAX);
    assert!(errors.omitted > 2_000, "{}", errors.omitted);
    assert!(errors.to_string().contains("(the first 100 are shown)"));
}

#[test]
fn what_is_not_toml_says_where() {
    let errors = parse_plain(&changed("\"USD\"", "\"USD"), None).expect_err("a quote is missing");
    assert_eq!(
        (errors.mistakes[0].line, errors.mistakes.len()),
        (4, 1),
        "{errors}"
    );
    assert!(errors.mistakes[0].what.contains("not TOML"));
}

#[test]
fn nothing_of_the_file_can_act_on_a_terminal() {
    let text = changed("\"USD\"", "\"USD\"\n\"\\u001b[2J\" = 1 # \u{9b}");
    let shown = parse_plain(&text, None)
        .expect_err("no such key")
        .to_string();
    assert!(
        shown.chars().all(|c| c == '\n' || !c.is_control()),
        "{shown:?}"
    );
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(\\PC|\n){0,200}") {
        let _ = parse_str("any", &text).map_err(|errors| errors.to_string());
    }

    #[test]
    fn no_damage_to_a_whole_config_makes_it_panic(
        at in 0..SMALL.len(),
        len in 0_usize..40,
        piece in "(\\PC|\n|[0-9\"\\[\\]{}=.,_-]){0,12}",
    ) {
        let end = (at + len).min(SMALL.len());
        let text = format!("{}{piece}{}", &SMALL[..at], &SMALL[end..]);
        let _ = parse_plain(&text, None).map_err(|errors| errors.to_string());
    }
}
