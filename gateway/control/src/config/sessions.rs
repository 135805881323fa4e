//! Client sessions out of `[[session]]`.
//!
//! Control thread only. Invariants: a session's firm codes are distinct; a password is present as a
//! hash alone, whose work is bounded.

use super::cells::{self, Wanted};
use super::draft::{Draft, known};
use super::mistake::Mistakes;
use super::model::{SessionConfig, SessionPermissions};
use super::profile::{EngineLink, Matching};
use super::profile_read;
use super::section::{Item, Section};
use crate::credentials;
use portcullis_domain::{AccountId, Duration, SessionId};
use portcullis_risk_core::limits::SessionSpec;
use portcullis_risk_core::limits::session::{SESSION_FIELDS, SessionCells};

const HEARTBEAT_MS: u64 = 1_000;
const SILENCE_MAX_MS: u64 = 15_000;
const SPAN_MS_MAX: i64 = 300_000;

pub(super) fn read(root: &mut Section<'_>, draft: &mut Draft<'_>, mistakes: &mut Mistakes<'_>) {
    let known_before = draft.names.sessions.len();
    draft.sessions.resize_with(known_before, || None);
    for mut section in root.tables("session", mistakes) {
        let user_item = section.require("user", "\"DESK1\"", mistakes);
        let user = user_item.and_then(|item| profile_read::user(&item, mistakes));
        let (config, spec) = session(&mut section, draft, mistakes);
        section.finish(mistakes);
        let (Some(item), Some(user)) = (user_item, user) else {
            continue;
        };
        let index = draft.names.sessions.intern(&user) as usize;
        if index >= draft.sessions.len() {
            draft.sessions.resize_with(index + 1, || None);
        }
        if draft.sessions[index].is_some() {
            let what = format!("[[session]] of user `{user}` is there twice");
            item.wrong(
                mistakes,
                what,
                "give each session a user of its own; case does not matter",
            );
            continue;
        }
        let session = SessionId::new(index as u32);
        draft.sessions[index] = Some((
            SessionConfig {
                session,
                user,
                ..config
            },
            spec,
        ));
    }
}

/// A session without its name and index.
fn session(
    section: &mut Section<'_>,
    draft: &Draft<'_>,
    mistakes: &mut Mistakes<'_>,
) -> (SessionConfig, SessionSpec) {
    let mut cells = SessionCells::UNSET;
    cells::read(
        section,
        SESSION_FIELDS,
        draft.scale(),
        Wanted::Required,
        mistakes,
        |number, value| {
            assert!(
                cells.set_by_number(number, value),
                "a field of its own table"
            )
        },
    );
    let default_account = section.take("account");
    let default_account = default_account.and_then(|item| account(&item, draft, mistakes));
    let firm_codes = firm_codes(section, draft, mistakes);
    if default_account.is_none() && firm_codes.is_empty() {
        let hint = "add `account = \"...\"`, or `accounts = { CODE = \"...\" }`";
        mistakes.add(
            section.place(),
            "[[session]] has no account to trade for",
            hint,
        );
    }
    let config = SessionConfig {
        session: SessionId::NONE,
        user: String::new(),
        password_hash: password_hash(section, mistakes),
        default_account,
        firm_codes,
        permissions: SessionPermissions {
            market_orders: permission(section, "market_orders", mistakes),
            good_till_cancel: permission(section, "good_till_cancel", mistakes),
        },
        heartbeat: span(section, "heartbeat_ms", HEARTBEAT_MS, mistakes),
        silence_max: span(section, "silence_max_ms", SILENCE_MAX_MS, mistakes),
        engine: engine(section, draft, mistakes),
    };
    (config, SessionSpec { cells })
}

fn account(item: &Item<'_>, draft: &Draft<'_>, mistakes: &mut Mistakes<'_>) -> Option<AccountId> {
    let (table, named) = (&draft.names.accounts, Some(&draft.accounts_named));
    known(item, "account", table, named, mistakes).map(AccountId::new)
}

fn firm_codes(
    section: &mut Section<'_>,
    draft: &Draft<'_>,
    mistakes: &mut Mistakes<'_>,
) -> Vec<([u8; 4], AccountId)> {
    let Some(item) = section.take("accounts") else {
        return Vec::new();
    };
    let Some(mut table) = item.section("of firm codes, as { ABCD = \"account\" }", mistakes) else {
        return Vec::new();
    };
    let mut codes = Vec::new();
    for (item, key_place) in table.take_all() {
        let fits = (1..=4).contains(&item.key.len())
            && item
                .key
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        if !fits {
            let what = "an OUCH firm code is 1 to 4 capital letters or digits";
            mistakes.add(
                key_place,
                what,
                "write it as it stands on the wire, as ABCD",
            );
            continue;
        }
        let mut code = [b' '; 4];
        code[..item.key.len()].copy_from_slice(item.key.as_bytes());
        codes.extend(account(&item, draft, mistakes).map(|account| (code, account)));
    }
    codes.sort_unstable_by_key(|(code, _)| *code);
    codes
}

fn password_hash(section: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> String {
    let form = "\"$argon2id$...\", as `portcullis hash-password` prints it";
    let Some(item) = section.require("password_hash", form, mistakes) else {
        return String::new();
    };
    let Some(text) = item.text(form, mistakes) else {
        return String::new();
    };
    if let Err(error) = credentials::check_hash(text) {
        let what = format!("`password_hash` cannot be used: {error}");
        item.wrong(mistakes, what, format!("write {form}"));
    }
    text.to_owned()
}

fn permission(section: &mut Section<'_>, key: &str, mistakes: &mut Mistakes<'_>) -> bool {
    section
        .take(key)
        .and_then(|item| item.boolean(mistakes))
        .unwrap_or(false)
}

fn span(
    section: &mut Section<'_>,
    key: &str,
    default: u64,
    mistakes: &mut Mistakes<'_>,
) -> Duration {
    let given = section
        .take(key)
        .and_then(|item| item.integer(100, SPAN_MS_MAX, mistakes));
    Duration::from_ns(given.map_or(default, |value| value as u64) * 1_000_000)
}

fn engine(
    section: &mut Section<'_>,
    draft: &Draft<'_>,
    mistakes: &mut Mistakes<'_>,
) -> Option<EngineLink> {
    let external = matches!(draft.profile.matching, Matching::Ouch { .. });
    let form = "{ address = \"127.0.0.1:9100\", user = \"GATE01\", password = \"...\" }";
    if external {
        let item = section.require("engine", form, mistakes)?;
        let mut link = item.section("of an engine link", mistakes)?;
        let read = profile_read::engine_link(&mut link, mistakes);
        link.finish(mistakes);
        return read;
    }
    if let Some(item) = section.take("engine") {
        let what = "`engine` is given, but the matching is not external";
        item.wrong(
            mistakes,
            what,
            "remove it, or write `kind = \"ouch\"` in [matching]",
        );
    }
    None
}
