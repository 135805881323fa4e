//! `bench-report FOLDER BENCH...`: writes `report.html` from what benches left in a folder.
//!
//! Exit codes: 0 written, 2 it could not be.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.split_first() {
        Some((folder, benches)) if !benches.is_empty() => match write(Path::new(folder), benches) {
            Ok(()) => ExitCode::SUCCESS,
            Err(why) => cannot(&why),
        },
        _ => cannot("say a folder and the benches, as `bench-report target/bench wire`"),
    }
}

fn write(folder: &Path, benches: &[String]) -> Result<(), String> {
    let page = portcullis_bench_harness::page(folder, benches)?;
    let path = folder.join("report.html");
    std::fs::write(&path, page).map_err(|error| format!("{}: {error}", path.display()))?;
    eprintln!("report: {}", path.display());
    Ok(())
}

fn cannot(why: &str) -> ExitCode {
    eprintln!("bench-report: {why}");
    ExitCode::from(2)
}
