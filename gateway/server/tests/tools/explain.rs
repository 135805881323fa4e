//! `explain`, and that what it says is what was decided.

use crate::made::{CONFIG, Made};
use crate::portcullis;
use portcullis_domain::{CheckMask, Record};
use portcullis_journal::{Entry, JournalReader, Mode};
use portcullis_risk_core::{CheckOutcome, Effect, EffectSink, OutboundAction};

#[test]
fn a_refusal_is_explained_with_each_check_and_the_account() {
    let folder = Made::day().finish();
    let journal = folder.journal();
    let config = folder.file("day.toml").display().to_string();
    let by_name = portcullis(&["explain", &journal, "TRADE1:2", "--config", &config]).ended(0);
    let by_seq = portcullis(&["explain", &journal, "--seq", "8", "--config", &config]).ended(0);
    assert_eq!(by_name.out, by_seq.out);
    let by_name = by_name.said(&[
        "record 8 at 2023-11-14T22:13:20.008000000Z: order TRADE1:2 for trader1: buy 2000 ACME @ 100.00 day",
        "verdict: REFUSED by QTY_MAX; told the client: QTY_MAX; 1000 lots would have passed it",
        "epoch 1, limits ",
        "account trader1, before -> after; prices and money as the config counts them",
        "  open orders 1\n",
        "ACME: net 4, ",
        "reference 100.00, collar 90.00 to 110.00, Active",
    ]);
    let line = |name: &str| {
        let found = by_name
            .out
            .lines()
            .find(|line| line.trim().starts_with(name));
        found
            .expect("each check has a line")
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(
        line("QTY_MAX "),
        "QTY_MAX FAILS limit 1000, used 0, asked 2000; 1000 lots would have passed"
    );
    assert_eq!(
        line("OPEN_ORDERS_MAX "),
        "OPEN_ORDERS_MAX passes limit 1000, used 1, asked 1"
    );
    assert_eq!(
        line("POSITION_MAX "),
        "POSITION_MAX passes limit 1000000, used 10, asked 2000"
    );
}

#[test]
fn an_accepted_order_shows_what_it_took_and_one_that_is_not_there_cannot_be_explained() {
    let folder = Made::day().finish();
    let journal = folder.journal();
    portcullis(&["explain", &journal, "trade1:5"])
        .ended(0)
        .said(&[
            "verdict: ACCEPTED, sent to the engine as 600 @ 10000",
            "  open orders 1 -> 2\n",
            "on hold to buy 0 -> 600",
            "ACME: net 6, ",
        ]);
    portcullis(&["explain", &journal, "TRADE1:4"])
        .ended(0)
        .said(&[
            "replace TRADE1:1 by TRADE1:4",
            "verdict: ACCEPTED, sent to the engine as a replace",
            "the order before: 6 lots open @ 10000, 0 versions unanswered",
        ]);
    for (order, why) in [
        (
            "TRADE1:99",
            "no order or replace of this journal is TRADE1:99",
        ),
        ("NOBODY:1", "the journal has no session NOBODY"),
        ("TRADE1", "names no order"),
    ] {
        let cannot = portcullis(&["explain", &journal, order]).ended(2);
        assert!(cannot.err.contains(why), "{}", cannot.err);
    }
    portcullis(&["explain", &journal]).ended(2);
    portcullis(&["explain", &journal, "TRADE1:1", "--seq", "3"]).ended(2);
}

/// The verdict of a record: the checks that failed.
#[derive(Default)]
struct Verdict(Option<CheckMask>);

impl EffectSink for Verdict {
    fn on_effect(&mut self, effect: Effect) {
        match effect {
            Effect::Refused(refusal) => self.0 = Some(refusal.failing),
            Effect::Approved(order) => {
                if !matches!(order.get().action, OutboundAction::Cancel { .. }) {
                    self.0 = Some(CheckMask::EMPTY);
                }
            }
            Effect::Answered(_)
            | Effect::Reported(_)
            | Effect::SessionChanged(_)
            | Effect::Controlled(_)
            | Effect::StateChanged { .. }
            | Effect::Alarmed(_) => {}
        }
    }
}

/// A demo's flow trips most checks.
#[test]
fn asking_every_check_before_each_order_says_its_verdict_and_changes_none() {
    let folder = Made::day().finish();
    let journal = folder.file("demo");
    let path = journal.display().to_string();
    portcullis(&["demo", "--seconds", "2", "--journal", &path]).ended(0);
    let disk = portcullis_journal::Disk::existing(&journal).expect("the demo kept it");
    let reader = JournalReader::open(disk.clone(), portcullis_domain::Seq::new(1), Mode::Whole);
    let mut reader = reader.expect("it is whole");
    let mut core = crate::made::core_of(&disk, reader.segment().identity.prelude);
    let (mut asked, mut refused, mut compared) = (0, 0, 0);
    while let Some(entry) = reader.next().expect("it is whole") {
        let record: Record = match entry {
            Entry::Record(record) => record.to_record(),
            Entry::Digest { digest, .. } => {
                assert_eq!(core.digest(), digest, "asking changed something");
                compared += 1;
                continue;
            }
        };
        let mut failing = CheckMask::EMPTY;
        let mut words = 0;
        let was_asked = core.explain_all(&record.head, &mut |word| {
            failing = failing.with(word.code, word.outcome == CheckOutcome::Fails);
            words += 1;
        });
        let mut verdict = Verdict::default();
        core.apply(&record, &mut verdict);
        assert_eq!(verdict.0.is_some(), was_asked, "record {}", record.head.seq);
        if let Some(decided) = verdict.0 {
            assert_eq!(words, portcullis_risk_core::checks::REGISTRY.len());
            assert_eq!(failing, decided, "record {}", record.head.seq);
            asked += 1;
            refused += u64::from(!decided.is_empty());
        }
    }
    assert!(
        asked > 100 && refused > 10 && compared > 0,
        "{asked} {refused} {compared}"
    );
    assert!(CONFIG.contains("trader1"));
}
