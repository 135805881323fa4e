//! Times for people: ns since the epoch as UTC, and how long ago they were.

use crate::gateway::{DAY_NS, civil_day};

/// A time in UTC, to the nanosecond.
pub(crate) fn utc(ns: u64) -> String {
    let (year, month, day) = civil_day(ns / DAY_NS);
    let of_day = ns % DAY_NS;
    let seconds = of_day / 1_000_000_000;
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:09}Z",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60,
        of_day % 1_000_000_000,
    )
}

/// How long a time is past, in the two largest units that say something.
pub(crate) fn ago(now_ns: u64, then_ns: u64) -> String {
    let Some(past_ns) = now_ns.checked_sub(then_ns) else {
        return "in the future".to_owned();
    };
    let seconds = past_ns / 1_000_000_000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60);
    if days > 0 {
        format!("{days} d {hours} h ago")
    } else if hours > 0 {
        format!("{hours} h {minutes} min ago")
    } else if minutes > 0 {
        format!("{minutes} min {} s ago", seconds % 60)
    } else {
        format!("{seconds} s ago")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_a_calendar() {
        assert_eq!(utc(0), "1970-01-01T00:00:00.000000000Z");
        let leap = 951_827_696_000_000_001;
        assert_eq!(utc(leap), "2000-02-29T12:34:56.000000001Z");
        let last_ns = u64::MAX;
        assert_eq!(utc(last_ns), "2554-07-21T23:34:33.709551615Z");
    }

    #[test]
    fn spans_are_told_in_their_largest_units() {
        let second = 1_000_000_000;
        for (seconds, said) in [
            (0, "0 s ago"),
            (61, "1 min 1 s ago"),
            (3_600, "1 h 0 min ago"),
            (90_000, "1 d 1 h ago"),
        ] {
            assert_eq!(ago(100_000 * second, (100_000 - seconds) * second), said);
        }
        assert_eq!(ago(1, 2), "in the future");
    }
}
