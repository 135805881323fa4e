//! The picture of some curves: latency against percentile, both by their logarithms.
//!
//! Owned by whoever writes the page. Invariant: the tail is as wide as the head: each nine of the
//! percentile has the same width.

use super::curve::Curve;
use super::logarithm::log2_milli;
use super::{escaped, grouped};
use std::fmt::Write;

const WIDTH: u64 = 1_000;
const HEIGHT: u64 = 480;
const LEFT: u64 = 80;
const RIGHT: u64 = 20;
const TOP: u64 = 30;
const BOTTOM: u64 = 60;
/// A line of the legend.
const LEGEND: u64 = 20;

const COLOURS: [&str; 8] = [
    "#1b6ca8", "#c4421a", "#2a8c4a", "#8a3ea8", "#b58900", "#0f8b8d", "#c2185b", "#555",
];

/// Latencies that the axis is marked at: a unit and its name.
const UNITS: [(u64, &str); 3] = [(1, "ns"), (1_000, "us"), (1_000_000, "ms")];

/// From values to places.
struct Frame {
    /// The rarest share that is drawn, and the least and the most latency, as logarithms.
    rarest: u64,
    least: u64,
    most: u64,
}

impl Frame {
    fn of(curves: &[Curve]) -> Self {
        let points = || curves.iter().flat_map(|curve| &curve.points);
        let count = curves.iter().map(|curve| curve.count).max().unwrap_or(1);
        let least = points().map(|point| point.0).min().unwrap_or(1);
        let most = points().map(|point| point.0).max().unwrap_or(1);
        // From mark to mark, so that no curve ends on an edge that has no name.
        let below = marks().take_while(|mark| *mark <= least.max(1)).last();
        let above = marks().find(|mark| *mark >= most);
        let least = log2_milli(below.unwrap_or(1));
        Self {
            rarest: log2_milli(count.max(2)),
            least,
            most: log2_milli(above.unwrap_or(most)).max(least + 1),
        }
    }

    /// Where one in 2 to the power of `rarity` thousandths is.
    fn x(&self, rarity: u64) -> u64 {
        LEFT + rarity.min(self.rarest) * (WIDTH - LEFT - RIGHT) / self.rarest
    }

    fn y(&self, ns: u64) -> u64 {
        let above = log2_milli(ns.max(1)).clamp(self.least, self.most) - self.least;
        let height = HEIGHT - TOP - BOTTOM;
        TOP + height - above * height / (self.most - self.least)
    }
}

/// The picture.
pub(super) fn svg(curves: &[Curve]) -> String {
    let frame = Frame::of(curves);
    let height = HEIGHT + LEGEND * curves.len() as u64;
    let mut out = format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n"
    );
    draw_percentiles(&frame, &mut out);
    draw_latencies(&frame, &mut out);
    for (at, curve) in curves.iter().enumerate() {
        let colour = COLOURS[curve.colour % COLOURS.len()];
        let points = points(&frame, curve);
        let _ = writeln!(
            out,
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.6\" points=\"{points}\"/>"
        );
        let (line, text) = (
            HEIGHT + LEGEND * at as u64 + 4,
            HEIGHT + LEGEND * at as u64 + 8,
        );
        let (end, name) = (LEFT + 30, escaped(&curve.name));
        let _ = writeln!(
            out,
            "<path d=\"M{LEFT} {line}H{end}\" stroke=\"{colour}\" stroke-width=\"3\"/>\
             <text x=\"{}\" y=\"{text}\">{name}: {} measured</text>",
            end + 8,
            grouped(curve.count)
        );
    }
    out.push_str("</svg>\n");
    out
}

/// A line where each percentile of nines is.
fn draw_percentiles(frame: &Frame, out: &mut String) {
    let bottom = HEIGHT - BOTTOM;
    let mut nines = 0;
    let mut rarity = 1_u64;
    while log2_milli(rarity) <= frame.rarest {
        let name = match nines {
            0 => "0%".to_owned(),
            1 => "90%".to_owned(),
            2 => "99%".to_owned(),
            _ => format!("99.{}%", "9".repeat(nines - 2)),
        };
        grid(out, frame.x(log2_milli(rarity)), TOP, bottom, &name);
        (nines, rarity) = (nines + 1, rarity * 10);
    }
    grid(out, frame.x(1_000), TOP, bottom, "50%");
    let (middle, below) = (LEFT + (WIDTH - LEFT - RIGHT) / 2, bottom + 40);
    let _ = writeln!(
        out,
        "<text x=\"{middle}\" y=\"{below}\" text-anchor=\"middle\" fill=\"#666\">percentile: so \
         many took no longer; each nine is as wide as the one before</text>\
         <text x=\"{LEFT}\" y=\"{}\" fill=\"#666\">latency, logarithmic</text>",
        TOP - 12
    );
}

fn grid(out: &mut String, x: u64, top: u64, bottom: u64, name: &str) {
    let _ = writeln!(
        out,
        "<path d=\"M{x} {top}V{bottom}\" stroke=\"#ddd\"/>\
         <text x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{name}</text>",
        bottom + 18
    );
}

/// 1, 2 and 5 of each power of ten.
fn marks() -> impl Iterator<Item = u64> {
    (0..18).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)))
}

/// A line at each mark.
fn draw_latencies(frame: &Frame, out: &mut String) {
    let drawn = |ns: &u64| (frame.least..=frame.most).contains(&log2_milli(*ns));
    for ns in marks().filter(drawn) {
        let (unit, name) = UNITS
            .into_iter()
            .rfind(|(unit, _)| *unit <= ns)
            .expect("a nanosecond is a unit");
        let y = frame.y(ns);
        let _ = writeln!(
            out,
            "<path d=\"M{LEFT} {y}H{}\" stroke=\"#eee\"/>\
             <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{} {name}</text>",
            WIDTH - RIGHT,
            LEFT - 8,
            y + 4,
            ns / unit
        );
    }
}

/// The places of a curve, without those that would fall on the one before.
fn points(frame: &Frame, curve: &Curve) -> String {
    let mut out = String::new();
    let mut last = None;
    let mut faster = 0;
    for &(ns, slower) in &curve.points {
        // From where the latency is reached to where it is passed.
        for left in [curve.count - faster, slower.max(1)] {
            let rarity = log2_milli(curve.count) - log2_milli(left);
            let place = (frame.x(rarity), frame.y(ns));
            if last != Some(place) {
                let _ = write!(out, "{},{} ", place.0, place.1);
                last = Some(place);
            }
        }
        faster = curve.count - slower;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve() -> Curve {
        Curve {
            name: "a & b".to_owned(),
            colour: 0,
            count: 1_000,
            points: vec![(100, 500), (1_000, 10), (10_000, 0)],
        }
    }

    #[test]
    fn each_nine_has_the_same_width_and_the_slowest_is_at_the_top() {
        let frame = Frame::of(&[curve()]);
        let x = |rarity| frame.x(log2_milli(rarity));
        assert_eq!((x(1), x(1_000)), (LEFT, WIDTH - RIGHT));
        let widths = [x(10) - x(1), x(100) - x(10), x(1_000) - x(100)];
        assert!(
            widths.iter().all(|width| width.abs_diff(300) <= 1),
            "{widths:?}"
        );
        assert_eq!((frame.y(10_000), frame.y(100)), (TOP, HEIGHT - BOTTOM));
        assert_eq!(frame.y(1_000).abs_diff((TOP + HEIGHT - BOTTOM) / 2) / 2, 0);
    }

    #[test]
    fn the_scale_ends_at_marks() {
        let mut curve = curve();
        curve.points = vec![(90, 500), (1_100, 0)];
        let frame = Frame::of(&[curve]);
        assert_eq!((frame.y(2_000), frame.y(50)), (TOP, HEIGHT - BOTTOM));
    }

    #[test]
    fn a_curve_steps_up_where_its_share_is_passed() {
        let curve = curve();
        let frame = Frame::of(std::slice::from_ref(&curve));
        let places = points(&frame, &curve);
        let first = format!("{},{} ", LEFT, frame.y(100));
        assert!(places.starts_with(&first), "{places}");
        let half = format!(
            "{},{} {},{}",
            frame.x(1_000),
            frame.y(100),
            frame.x(1_000),
            frame.y(1_000)
        );
        assert!(places.contains(&half), "{half} in {places}");
        assert!(
            places.ends_with(&format!("{},{TOP} ", WIDTH - RIGHT)),
            "{places}"
        );
        let svg = svg(&[curve]);
        assert!(svg.contains("a &amp; b: 1,000 measured"));
        assert!(svg.contains(">99.9%<") && svg.contains(">10 us<") && !svg.contains(">99.99%<"));
    }
}
