//! The proxies that the wire bench stands beside, HAProxy and nginx: those of Debian's packages, unpacked under the
//! target folder where the machine has none.
//!
//! Invariants: nothing is installed, no service starts and no right of root is needed; packages come
//! through apt, which checks their signatures; what is there already is not fetched again. A system
//! without apt, or whose apt reaches no packages, is no fault: the bench's row says that there is
//! none, and how to get it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::verb::Fault;

/// Folder below the target folder. The wire bench looks there too.
const FOLDER: &str = "proxies";

/// What apt keeps while it fetches, below that.
const APT: &str = "apt";

/// Packages, and a file of each by which it is known: on the system, or unpacked.
const WANTED: &[(&str, &str)] = &[
    ("haproxy", "usr/sbin/haproxy"),
    ("nginx", "usr/sbin/nginx"),
    (
        "libnginx-mod-stream",
        "usr/lib/nginx/modules/ngx_stream_module.so",
    ),
];

/// Makes sure of them, as far as that can be.
pub(crate) fn prepare(target: &Path) {
    let folder = target.join(FOLDER);
    let missing = missing(&[Path::new("/"), &folder]);
    if missing.is_empty() {
        return;
    }
    eprintln!("fetching {} into {}", missing.join(", "), folder.display());
    if let Err(Fault(why)) = fetch(&folder, &missing) {
        eprintln!("they are not to be had here, their rows will say so: {why}");
    }
}

/// Packages of which none of these roots has the file.
fn missing(roots: &[&Path]) -> Vec<&'static str> {
    let absent = |file: &str| !roots.iter().any(|root| root.join(file).is_file());
    (WANTED.iter())
        .filter(|(_, file)| absent(file))
        .map(|(package, _)| *package)
        .collect()
}

/// Unpacks packages, and what they need that this system has not.
fn fetch(folder: &Path, packages: &[&str]) -> Result<(), Fault> {
    let apt = Apt::new(folder)?;
    apt.run(&["update"])?;
    let install = [
        "install",
        "--yes",
        "--download-only",
        "--no-install-recommends",
    ];
    apt.run(&[&install, packages].concat())?;
    for archive in apt.archives()? {
        succeed(
            Command::new("dpkg-deb")
                .arg("--extract")
                .arg(&archive)
                .arg(folder),
        )?;
    }
    fs::remove_dir_all(folder.join(APT)).map_err(|error| Fault::of(folder.display(), error))?;
    let still = missing(&[Path::new("/"), folder]);
    match still.is_empty() {
        true => Ok(()),
        false => Err(Fault(format!("{} was not in it", still.join(", ")))),
    }
}

/// Debian's package client, with lists and archives of our own: the system's are not written to.
struct Apt {
    lists: PathBuf,
    cache: PathBuf,
}

impl Apt {
    fn new(folder: &Path) -> Result<Self, Fault> {
        let apt = Self {
            lists: folder.join(APT).join("lists"),
            cache: folder.join(APT).join("cache"),
        };
        for partial in [
            apt.lists.join("partial"),
            apt.cache.join("archives/partial"),
        ] {
            fs::create_dir_all(&partial).map_err(|error| Fault::of(partial.display(), error))?;
        }
        Ok(apt)
    }

    fn run(&self, arguments: &[&str]) -> Result<(), Fault> {
        let ours = |option: &str, folder: &Path| format!("{option}={}", folder.display());
        succeed(
            Command::new("apt-get")
                .args(["--quiet=2", "-o", "Debug::NoLocking=1"])
                // Root would have the packages fetched by a user who may not write below a home.
                .args(["-o", "APT::Sandbox::User=root"])
                .args(["-o", &ours("Dir::State::lists", &self.lists)])
                .args(["-o", &ours("Dir::Cache", &self.cache)])
                .args(arguments),
        )
    }

    /// The packages it has fetched.
    fn archives(&self) -> Result<Vec<PathBuf>, Fault> {
        let folder = self.cache.join("archives");
        let fault = |error| Fault::of(folder.display(), error);
        let mut archives = Vec::new();
        for entry in fs::read_dir(&folder).map_err(fault)? {
            let path = entry.map_err(fault)?.path();
            if path.extension().is_some_and(|ending| ending == "deb") {
                archives.push(path);
            }
        }
        archives.sort();
        Ok(archives)
    }
}

fn succeed(command: &mut Command) -> Result<(), Fault> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| Fault::of(&name, error))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.lines().last().unwrap_or_default();
    Err(Fault::of(&name, format!("{}: {last}", output.status)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_either_root_has_is_not_fetched() {
        let folder =
            std::env::temp_dir().join(format!("portcullis-proxies-{}", std::process::id()));
        let (system, unpacked) = (folder.join("system"), folder.join("unpacked"));
        assert_eq!(missing(&[&system, &unpacked]).len(), WANTED.len());
        for (root, (_, file)) in [(&system, WANTED[0]), (&unpacked, WANTED[1])] {
            let file = root.join(file);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "").unwrap();
        }
        assert_eq!(missing(&[&system, &unpacked]), ["libnginx-mod-stream"]);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_client_that_is_missing_or_fails_is_a_fault_with_what_it_said_last() {
        assert!(succeed(&mut Command::new("no-such-client-here")).is_err());
        let Err(Fault(why)) =
            succeed(Command::new("sh").args(["-c", "echo a; echo b >&2; exit 3"]))
        else {
            panic!("it ended with 3");
        };
        assert!(why.ends_with(": b"), "{why}");
    }
}
