//! The checks on an order, from the registry that the risk core evaluates.

use portcullis_risk_core::checks::{Band, Descriptor, REGISTRY};

use super::table::table;

pub(super) fn page() -> String {
    let rows: Vec<[String; 8]> = REGISTRY.iter().map(row).collect();
    let headings = [
        "number",
        "name",
        "band",
        "reducing",
        "limits",
        "OUCH",
        "FIX 103",
        "fails when",
    ];
    format!(
        "# Checks\n\nEvery check on an order, in order of precedence. The number is the reject \
         code, the bit in the mask of failing checks and the precedence; it is given once and \
         never again. *reducing* says whether the check judges an order that provably reduces its \
         account's position. *limits* names what it reads, as [limits](limits.md) describes it. \
         *OUCH* is the reason of an OUCH 5.0 Rejected message, *FIX 103* is OrdRejReason.\n\n{}",
        table(headings, &rows)
    )
}

fn row(check: &Descriptor) -> [String; 8] {
    let limits: Vec<String> = check
        .fields
        .iter()
        .map(|(scope, name)| format!("{scope} `{name}`"))
        .collect();
    [
        check.number.to_string(),
        format!("`{}`", check.name),
        band(check.band).into(),
        if check.judges_reducing { "yes" } else { "no" }.into(),
        limits.join(", "),
        format!("0x{:04X}", check.ouch_reason),
        check.fix_reason.to_string(),
        check.summary.into(),
    ]
}

fn band(band: Band) -> &'static str {
    match band {
        Band::Form => "form",
        Band::Venue => "venue",
        Band::State => "state",
        Band::Rate => "rate",
        Band::Size => "size",
        Band::Price => "price",
        Band::Exposure => "exposure",
        Band::Margin => "margin",
        Band::Flow => "flow",
        Band::PriceQuality => "price quality",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docs::limits;

    #[test]
    fn every_check_has_a_row() {
        let text = page();
        assert!(REGISTRY.len() > 20);
        for check in REGISTRY {
            assert!(text.contains(&format!("\n| {} | `{}` |", check.number, check.name)));
        }
    }

    #[test]
    fn every_limit_that_a_check_names_is_one_that_its_scope_has() {
        for check in REGISTRY {
            for (scope, name) in check.fields {
                assert!(limits::has(scope, name), "{}: {scope} `{name}`", check.name);
            }
        }
    }
}
