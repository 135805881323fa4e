//! A leader and its standby as processes: followed, promoted, fenced, begun behind a snapshot.
//!
//! No clients here: what is sequenced comes over the control socket. `cargo xtask failover` does it under load.

use portcullis_domain::Seq;
use portcullis_journal::{Disk, JournalReader, Mode, SegmentName, Storage, StorageFile};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long anything may take before the test fails. Nothing waits for it otherwise.
const WITHIN: Duration = Duration::from_secs(120);

const DEMO: &str = include_str!("../../../configs/demo.toml");

/// One gateway, killed when it is dropped.
struct Node {
    child: Child,
    socket: PathBuf,
    log: PathBuf,
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Node {
    fn start(verb: &str, folder: &Path) -> Self {
        Self::start_with(&[verb], folder)
    }

    fn start_with(words: &[&str], folder: &Path) -> Self {
        let log = folder.join("log");
        let file = fs::File::options()
            .create(true)
            .append(true)
            .open(&log)
            .expect("a log");
        let child = Command::new(env!("CARGO_BIN_EXE_portcullis"))
            .args(words)
            .arg(folder.join("config.toml"))
            .stderr(Stdio::from(file))
            .spawn()
            .expect("it starts");
        let socket = folder.join("ctl");
        Self { child, socket, log }
    }

    /// The answer's lines, the last one its status; none while it does not answer.
    fn ask(&self, request: &str) -> Option<Vec<String>> {
        let mut stream = UnixStream::connect(&self.socket).ok()?;
        writeln!(stream, "{request}").ok()?;
        let mut lines = Vec::new();
        for line in BufReader::new(stream).lines() {
            let line = line.ok()?;
            let is_last = !line.starts_with(' ');
            lines.push(line.trim().to_owned());
            if is_last {
                return Some(lines);
            }
        }
        None
    }

    fn wait_for(&self, request: &str, found: impl Fn(&str) -> bool) -> String {
        let deadline = Instant::now() + WITHIN;
        loop {
            let said = self.ask(request).unwrap_or_default().join("\n");
            if found(&said) {
                return said;
            }
            assert!(
                Instant::now() < deadline,
                "{request}: {said}\n{}",
                fs::read_to_string(&self.log).unwrap_or_default()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn follows(&self, seq: u64) {
        self.wait_for("state", |said| {
            said.contains("following;") && written(said).is_some_and(|written| written >= seq)
        });
    }

    fn ended(&mut self) -> Option<i32> {
        let deadline = Instant::now() + WITHIN;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        None
    }
}

/// The record that a standby says it has written.
fn written(said: &str) -> Option<u64> {
    let (_, rest) = said.split_once("record ")?;
    rest.split_once(' ')?.0.parse().ok()
}

/// The number of the record that an answer says.
fn seq(answer: &[String]) -> u64 {
    let last = answer.last().map_or("", String::as_str);
    let number = last.split(' ').skip_while(|word| *word != "seq").nth(1);
    number.and_then(|number| number.parse().ok()).expect(last)
}

/// An address that is this process's own, so that nobody else takes its port before a gateway does.
fn own_address() -> SocketAddr {
    let [_, b, c, d] = std::process::id().to_be_bytes();
    let own = Ipv4Addr::new(127, b | 0x80, c, d | 1);
    let listener = TcpListener::bind((own, 0)).expect("a port");
    listener.local_addr().expect("an address")
}

/// Two folders with a config each, which replicate to each other.
fn pair(name: &str, more: &str) -> (PathBuf, [PathBuf; 2]) {
    let root = std::env::temp_dir().join(format!("portcullis-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&root);
    let hear = [own_address(), own_address()];
    let folders = ["a", "b"].map(|node| root.join(node));
    for (index, folder) in folders.iter().enumerate() {
        fs::create_dir_all(folder).expect("a folder");
        let (listen, leader) = (hear[index], hear[1 - index]);
        let sections = format!(
            "[ctl]\nsocket = {:?}\n[journal]\nfolder = {:?}\nsegment_mib = 1\ndurability = \"replicated\"\n{more}\n\
             [restart]\nreduce_only_ms = 0\n[observe]\nsummary_every_ms = 0\n\
             [replication]\nlisten = \"{listen}\"\nleader = \"{leader}\"\nheartbeat_ms = 50\nsilence_max_ms = 5_000\n\
             [matching]\n",
            folder.join("ctl"),
            folder.join("journal"),
        );
        let text = DEMO.replacen("[matching]\n", &sections, 1);
        fs::write(folder.join("config.toml"), text).expect("a config");
    }
    (root, folders)
}

/// Has a node's config say something else.
fn rewrite(folder: &Path, from: &str, to: &str) {
    let config = folder.join("config.toml");
    let text = fs::read_to_string(&config).expect("a config");
    assert!(text.contains(from), "{from}");
    fs::write(&config, text.replacen(from, to, 1)).expect("a config");
}

#[test]
fn a_standby_leads_with_all_that_was_answered_and_the_old_leader_ends() {
    let (root, [a, b]) = pair("standby", "");
    let mut leader = Node::start("run", &a);
    leader.wait_for("state", |said| said.contains("venue Active"));
    let standby = Node::start("standby", &b);
    standby.follows(1);
    let mut last = 0;
    for amount in 1..=20 {
        let answer = leader.ask(&format!("deposit maker-1 {amount}"));
        last = seq(&answer.expect("a replicated leader with a standby answers"));
    }
    let refused = standby.ask("deposit maker-1 1").expect("it answers");
    assert!(refused[0].contains("this is a standby"), "{refused:?}");
    standby.follows(last);
    let promoted = standby.wait_for("promote", |said| said.contains("leads term"));
    assert!(promoted.contains("leads term 2"), "{promoted}");
    assert_eq!(leader.ended(), Some(1), "it was succeeded");
    let account = standby.wait_for("account maker-1", |said| said.contains("cash"));
    assert!(account.contains("cash 210000000"), "{account}");
    let again = standby.ask("promote").expect("it answers");
    assert!(again[0].contains("leads already"), "{again:?}");
    assert_eq!(
        Node::start("run", &a).ended(),
        Some(2),
        "nor does it start again"
    );
    let old = Node::start("standby", &a);
    old.wait_for("state", |said| {
        said.contains("following;")
            || said.contains("empty folder")
            || said.contains("empty journal folder")
    });
    drop((old, standby));
    fs::remove_dir_all(root).expect("removes");
}

#[test]
fn a_standby_begins_behind_a_snapshot_where_the_first_records_are_gone() {
    let more = "snapshot_every_records = 2_000\nfolder_mib_max = 8\n";
    let (root, [a, b]) = pair("standby-snapshot", more);
    let leader = Node::start("run", &a);
    leader.wait_for("state", |said| said.contains("venue Active"));
    let standby = Node::start("standby", &b);
    standby.follows(1);
    // A segment and more of deposits: a record and a frame each.
    let mut stream = UnixStream::connect(&leader.socket).expect("it listens");
    let mut answers = BufReader::new(stream.try_clone().expect("a stream")).lines();
    for _ in 0..12_000 {
        writeln!(stream, "deposit maker-1 1").expect("it listens");
        let answer = answers.next().expect("it answers").expect("it answers");
        assert!(answer.starts_with("ok seq"), "{answer}");
    }
    let first = a.join("journal").join("00000000000000000001.segment");
    let deadline = Instant::now() + WITHIN;
    while first.exists() {
        assert!(Instant::now() < deadline, "old segments go");
        std::thread::sleep(Duration::from_millis(10));
    }
    drop(standby);
    fs::remove_dir_all(b.join("journal")).expect("removes");
    let standby = Node::start("standby", &b);
    standby.follows(12_000);
    let last = seq(&leader.ask("deposit maker-1 1").expect("it answers"));
    standby.follows(last);
    let log = fs::read_to_string(&standby.log).expect("a log");
    assert!(
        log.contains("begins behind the snapshot of record"),
        "{log}"
    );
    // As if it had stopped between the snapshot and the first frame behind it.
    drop(standby);
    for file in fs::read_dir(b.join("journal")).expect("a folder") {
        let path = file.expect("a file").path();
        if path.extension().is_some_and(|end| end == "segment") {
            fs::remove_file(path).expect("removes");
        }
    }
    let standby = Node::start("standby", &b);
    standby.follows(last);
    let log = fs::read_to_string(&standby.log).expect("a log");
    assert!(log.contains("no segment stands here"), "{log}");
    drop(leader);
    standby.wait_for("promote", |said| said.contains("leads term 2"));
    let account = standby.wait_for("account maker-1", |said| said.contains("cash"));
    assert!(account.contains("cash 12001000000"), "{account}");
    drop(standby);
    fs::remove_dir_all(root).expect("removes");
}

#[test]
fn a_loss_of_what_was_never_synced_is_accepted_by_a_switch() {
    let (root, [a, _]) = pair("loss", "");
    let config = a.join("config.toml");
    let text = fs::read_to_string(&config).expect("a config");
    let text = text.replace("durability = \"replicated\"", "durability = \"journaled\"");
    fs::write(&config, text).expect("a config");
    let gateway = Node::start("run", &a);
    gateway.wait_for("state", |said| said.contains("venue Active"));
    let mut seqs = Vec::new();
    for amount in [1, 2, 4, 8] {
        let answer = gateway.ask(&format!("deposit maker-1 {amount}"));
        seqs.push(seq(&answer.expect("it answers")));
    }
    drop(gateway);
    tear(&a.join("journal"), seqs[2]);
    assert_eq!(Node::start("run", &a).ended(), Some(2), "it is refused");
    let log = fs::read_to_string(a.join("log")).expect("a log");
    assert!(log.contains("--accept-unsynced-loss"), "{log}");
    let gateway = Node::start_with(&["run", "--accept-unsynced-loss"], &a);
    let account = gateway.wait_for("account maker-1", |said| said.contains("cash"));
    assert!(account.contains("cash 3000000"), "{account}");
    gateway.ask("deposit maker-1 16").expect("it goes on");
    drop(gateway);
    let gateway = Node::start("run", &a);
    let account = gateway.wait_for("account maker-1", |said| said.contains("cash"));
    assert!(account.contains("cash 19000000"), "{account}");
    drop(gateway);
    fs::remove_dir_all(root).expect("removes");
}

/// Changes a byte of the frame that holds a record, as a block that the disk did not keep does.
fn tear(journal: &Path, seq: u64) {
    let disk = Disk::open(journal).expect("a folder");
    let reader = JournalReader::open(disk.clone(), Seq::new(seq), Mode::Whole);
    let mut reader = reader.expect("it opens");
    let held = reader.next_frame().expect("whole").expect("it is there");
    let bytes = held.bytes().len() as u64;
    let name = SegmentName::new(reader.segment().seq_first).to_string();
    let file = disk.open(&name).expect("it is there");
    let at = reader.offset() - bytes + 70;
    file.write_at(&[0xEE], at).expect("writes");
}

/// What can fail is tried before the term is taken: whoever is refused has lost nothing.
#[test]
fn a_promotion_that_cannot_end_well_is_refused_and_the_standby_follows_on() {
    let (root, [a, b]) = pair("standby-refused", "");
    let taken = TcpListener::bind(own_address()).expect("a port");
    let address = taken.local_addr().expect("an address");
    let anywhere = "listen = \"127.0.0.1:0\"";
    rewrite(&b, anywhere, &format!("listen = \"{address}\""));
    let leader = Node::start("run", &a);
    leader.wait_for("state", |said| said.contains("venue Active"));
    let standby = Node::start("standby", &b);
    standby.follows(1);
    let refused = standby.wait_for("promote", |said| said.contains("listening on"));
    assert!(refused.contains("promote again"), "{refused}");
    let answer = leader.ask("deposit maker-1 1").expect("it answers");
    standby.follows(seq(&answer));
    drop(taken);
    let promoted = standby.wait_for("promote", |said| said.contains("leads term"));
    assert!(promoted.contains("leads term 2"), "{promoted}");
    drop((leader, standby));
    fs::remove_dir_all(root).expect("removes");
}

/// The machine of the old leader was off while it was succeeded, and while its successor was started anew.
#[test]
fn a_promoted_gateway_tells_the_old_leader_in_its_next_life_too() {
    let (root, [a, b]) = pair("standby-next-life", "");
    let leader = Node::start("run", &a);
    leader.wait_for("state", |said| said.contains("venue Active"));
    let standby = Node::start("standby", &b);
    standby.follows(1);
    let answer = leader.ask("deposit maker-1 1").expect("it answers");
    standby.follows(seq(&answer));
    drop(leader);
    standby.wait_for("promote", |said| said.contains("leads term 2"));
    standby.wait_for("account maker-1", |said| said.contains("cash"));
    let answer = standby.ask("deposit maker-1 1").expect("it answers");
    assert!(seq(&answer) > 0, "its log has a record of its own term");
    drop(standby);
    let next = Node::start("run", &b);
    next.wait_for("state", |said| said.contains("venue"));
    let mut old = Node::start("run", &a);
    assert_eq!(old.ended(), Some(1), "it was succeeded, and hears of it");
    drop(next);
    fs::remove_dir_all(root).expect("removes");
}

/// What was written is applied and compared before a standby says where it stopped.
#[test]
fn a_standby_that_is_stopped_has_applied_what_it_has_written() {
    let (root, [a, b]) = pair("standby-stopped", "");
    let leader = Node::start("run", &a);
    leader.wait_for("state", |said| said.contains("venue Active"));
    let mut standby = Node::start("standby", &b);
    standby.follows(1);
    for amount in 1..=50 {
        let answer = leader.ask(&format!("deposit maker-1 {amount}"));
        assert!(seq(&answer.expect("it answers")) > 0);
    }
    let id = standby.child.id().to_string();
    let asked = Command::new("kill").args(["-TERM", &id]).status();
    assert!(asked.expect("it runs").success());
    assert_eq!(standby.ended(), Some(0));
    let log = fs::read_to_string(&standby.log).expect("a log");
    let (_, said) = log.split_once("stopped: ").expect("it says where");
    let numbers: Vec<u64> = said
        .split(' ')
        .filter_map(|word| word.parse().ok())
        .collect();
    let [written, applied, compared] = numbers[..] else {
        panic!("{said}");
    };
    assert!(written > 50 && applied == written, "{said}");
    assert!(compared <= applied, "{said}");
    drop((leader, standby));
    fs::remove_dir_all(root).expect("removes");
}

/// Where the disk is shared, what a dead leader wrote is taken from there; one that lives is not robbed.
#[test]
fn a_promotion_takes_the_end_of_a_dead_leaders_journal() {
    let (root, [a, b]) = pair("standby-disk", "");
    for folder in [&a, &b] {
        rewrite(folder, "\"replicated\"", "\"journaled\"");
    }
    let shared = format!("[replication]\nleader_folder = {:?}", a.join("journal"));
    rewrite(&b, "[replication]", &shared);
    let leader = Node::start("run", &a);
    leader.wait_for("state", |said| said.contains("venue Active"));
    let mut standby = Node::start("standby", &b);
    standby.follows(1);
    let refused = standby.wait_for("promote", |said| said.contains("still holds its journal"));
    assert!(refused.contains("promote --force"), "{refused}");
    let answer = leader.ask("deposit maker-1 1").expect("it answers");
    standby.follows(seq(&answer));
    // It misses what the leader does before it dies, but has met it once.
    standby.child.kill().expect("it is there");
    standby.child.wait().expect("it is there");
    for _ in 0..20 {
        let answer = leader.ask("deposit maker-1 1").expect("it answers");
        assert!(seq(&answer) > 0);
    }
    drop(leader);
    let standby = Node::start("standby", &b);
    let promoted = standby.wait_for("promote", |said| said.contains("leads term"));
    assert!(promoted.contains("leads term 2"), "{promoted}");
    let account = standby.wait_for("account maker-1", |said| said.contains("cash"));
    assert!(account.contains("cash 21000000"), "{account}");
    drop(standby);
    fs::remove_dir_all(root).expect("removes");
}
