//! The proxies that the wire bench stands beside, HAProxy and nginx: those of Debian's packages, unpacked under the
//! target folder where the machine has none.
//!
//! Invariants: no service starts; what is there already is not fetched again. A system without apt, or whose apt
//! reaches no packages, is no fault: the bench's row says that there is none, and how to get it.

use std::path::Path;

use crate::debian;
use crate::verb::Fault;

/// Folder below the target folder. The wire bench looks there too.
const FOLDER: &str = "proxies";

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

/// Unpacks packages, all of which must be there then.
fn fetch(folder: &Path, packages: &[&str]) -> Result<(), Fault> {
    debian::unpack(packages, folder)?;
    let still = missing(&[Path::new("/"), folder]);
    match still.is_empty() {
        true => Ok(()),
        false => Err(Fault(format!("{} was not in it", still.join(", ")))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

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
}
