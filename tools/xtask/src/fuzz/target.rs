//! The fuzz targets and the decoders they are for, as one table each.
//!
//! Invariants: every binary of the fuzz workspace is a row, and every row is one; each decoder
//! names files that are there.

/// One fuzz target.
#[derive(Debug)]
pub(super) struct Target {
    /// Name of its binary, and of its folder of seeds.
    pub(super) name: &'static str,
    /// Its words, from the fuzz folder.
    pub(super) dictionary: Option<&'static str>,
    /// A folder of inputs beside its seeds, from the root.
    pub(super) more_seeds: Option<&'static str>,
}

const fn target(name: &'static str) -> Target {
    Target {
        name,
        dictionary: None,
        more_seeds: None,
    }
}

/// Every target, lowest layer first.
pub(super) const TARGETS: &[Target] = &[
    target("record"),
    target("log"),
    target("journal"),
    target("replication"),
    target("limit_words"),
    target("soup_frame"),
    target("soup_server"),
    target("appendage"),
    target("ouch_inbound"),
    target("ouch_outbound"),
    target("engine"),
    target("ladder_snapshot"),
    Target {
        name: "config",
        dictionary: Some("config.dict"),
        more_seeds: Some("configs"),
    },
    target("accounts_csv"),
    target("control_lines"),
];

/// Files that turn bytes from outside into values, and what together they decode. What is only
/// worked out while compiling (tables, offsets), opens files or shows changes is not among them.
pub(super) const DECODERS: &[(&str, &[&str])] = &[
    (
        "records",
        &[
            "gateway/domain/src/record.rs",
            "gateway/domain/src/command.rs",
            "gateway/domain/src/command/decode.rs",
            "gateway/domain/src/command/encode.rs",
        ],
    ),
    ("log", &["gateway/journal/src/log.rs"]),
    (
        "journals",
        &[
            "gateway/journal/src/frame.rs",
            "gateway/journal/src/reader.rs",
            "gateway/journal/src/reader/entry.rs",
            "gateway/journal/src/reader/files.rs",
            "gateway/journal/src/reader/tail.rs",
            "gateway/journal/src/recover.rs",
            "gateway/journal/src/scan.rs",
            "gateway/journal/src/segment.rs",
            "gateway/journal/src/snapshot/block.rs",
            "gateway/journal/src/snapshot/header.rs",
            "gateway/journal/src/snapshot/reader.rs",
        ],
    ),
    (
        "a standby's protocol",
        &[
            "gateway/journal/src/replication/decode.rs",
            "gateway/journal/src/replication/encode.rs",
            "gateway/journal/src/replication/follower.rs",
            "gateway/journal/src/replication/follower/hearing.rs",
            "gateway/journal/src/replication/follower/objects.rs",
            "gateway/journal/src/replication/follower/promotion.rs",
            "gateway/journal/src/replication/leader.rs",
            "gateway/journal/src/replication/leader/answer.rs",
            "gateway/journal/src/replication/leader/hearing.rs",
            "gateway/journal/src/replication/leader/sending.rs",
            "gateway/journal/src/replication/transfer.rs",
            "gateway/journal/src/replication/window.rs",
        ],
    ),
    (
        "limit tables",
        &["gateway/risk-core/src/limits/spec/words.rs"],
    ),
    (
        "SoupBinTCP",
        &[
            "gateway/wire/src/soupbin/client.rs",
            "gateway/wire/src/soupbin/encode.rs",
            "gateway/wire/src/soupbin/frame.rs",
            "gateway/wire/src/soupbin/login.rs",
            "gateway/wire/src/soupbin/number.rs",
            "gateway/wire/src/soupbin/outbound.rs",
            "gateway/wire/src/soupbin/server.rs",
            "gateway/wire/src/soupbin/store.rs",
        ],
    ),
    (
        "OUCH 5.0",
        &[
            "gateway/wire/src/alpha.rs",
            "gateway/wire/src/field.rs",
            "gateway/wire/src/ouch50/appendage.rs",
            "gateway/wire/src/ouch50/codes.rs",
            "gateway/wire/src/ouch50/decode.rs",
            "gateway/wire/src/ouch50/dialect.rs",
            "gateway/wire/src/ouch50/exposure.rs",
            "gateway/wire/src/ouch50/message.rs",
            "gateway/wire/src/ouch50/reasons.rs",
            "gateway/wire/src/ouch50/salvage.rs",
            "gateway/wire/src/ouch50/tag.rs",
        ],
    ),
    (
        "an engine's messages",
        &["matching-adapter/ouch/src/incoming.rs"],
    ),
    (
        "ladder snapshots",
        &[
            "matching-adapter/ladder/src/snapshot.rs",
            "matching-adapter/ladder/src/snapshot/codec.rs",
            "matching-adapter/ladder/src/snapshot/fields.rs",
        ],
    ),
    (
        "config",
        &[
            "gateway/control/src/config/accounts_csv.rs",
            "gateway/control/src/config/assemble.rs",
            "gateway/control/src/config/capacities.rs",
            "gateway/control/src/config/cells.rs",
            "gateway/control/src/config/dialect.rs",
            "gateway/control/src/config/draft.rs",
            "gateway/control/src/config/faults.rs",
            "gateway/control/src/config/instruments.rs",
            "gateway/control/src/config/mistake.rs",
            "gateway/control/src/config/participants.rs",
            "gateway/control/src/config/profile.rs",
            "gateway/control/src/config/profile_read.rs",
            "gateway/control/src/config/reload.rs",
            "gateway/control/src/config/section.rs",
            "gateway/control/src/config/sessions.rs",
            "gateway/control/src/decimal.rs",
            "gateway/control/src/field_value.rs",
        ],
    ),
    (
        "control and feed lines",
        &[
            "gateway/control/src/ctl/request.rs",
            "gateway/control/src/ctl/words.rs",
            "gateway/control/src/feed/mod.rs",
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Workspace;

    #[test]
    fn every_binary_of_the_fuzz_workspace_is_a_target_with_seeds() {
        let fuzz = Workspace::find().expect("here").root().join("fuzz");
        let manifest = std::fs::read_to_string(fuzz.join("Cargo.toml")).expect("it is there");
        let mut binaries: Vec<&str> = manifest
            .lines()
            .filter_map(|line| line.strip_prefix("path = \"targets/"))
            .filter_map(|rest| rest.strip_suffix(".rs\""))
            .collect();
        let mut names: Vec<&str> = TARGETS.iter().map(|target| target.name).collect();
        binaries.sort_unstable();
        names.sort_unstable();
        assert_eq!(binaries, names);
        for target in TARGETS {
            assert!(fuzz.join("seeds").join(target.name).is_dir(), "{target:?}");
            assert!(
                target
                    .dictionary
                    .is_none_or(|file| fuzz.join(file).is_file())
            );
        }
    }

    #[test]
    fn every_file_of_a_decoder_is_there() {
        let root = Workspace::find().expect("here");
        for file in DECODERS.iter().flat_map(|(_, files)| *files) {
            assert!(root.root().join(file).is_file(), "{file}");
        }
    }
}
