//! Capacities: every bound of the venue that is fixed at start.
//!
//! Control thread only. Invariant: one table gives name, default and range of each, and the struct,
//! the config section and the documentation follow from it.

use super::mistake::Mistakes;
use super::section::Section;
use portcullis_risk_core::limits::ROWS_SPARE_MAX;

macro_rules! capacities {
    ($($name:ident = $default:literal, $min:literal, $max:expr, $power:literal, $summary:literal;)+) => {
        /// How much there is room for, chosen at start.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct Capacities { $(#[doc = $summary] pub $name: u32),+ }

        impl Default for Capacities {
            fn default() -> Self {
                Self { $($name: $default),+ }
            }
        }

        /// The capacities, in order.
        pub const CAPACITY_FIELDS: &[CapacityField] = &[$(CapacityField {
            name: stringify!($name),
            default: $default,
            min: $min,
            max: $max,
            power_of_two: $power,
            summary: $summary,
        }),+];

        impl Capacities {
            pub(super) fn read(section: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Self {
                let mut capacities = Self::default();
                let mut fields = CAPACITY_FIELDS.iter();
                $(if let Some(value) = fields.next().and_then(|f| f.read(section, mistakes)) {
                    capacities.$name = value;
                })+
                capacities
            }

            /// Each capacity by name.
            #[must_use]
            pub fn named(&self) -> Vec<(&'static str, u32)> {
                vec![$((stringify!($name), self.$name)),+]
            }
        }
    };
}

/// One capacity.
#[derive(Clone, Copy, Debug)]
pub struct CapacityField {
    /// Its key in `[capacities]`.
    pub name: &'static str,
    /// What it is where the config does not say.
    pub default: u32,
    /// The least that loads.
    pub min: u32,
    /// The most that loads.
    pub max: u32,
    /// Whether it must be a power of two.
    pub power_of_two: bool,
    /// What it is, in one line.
    pub summary: &'static str,
}

const INDICES_MAX: u32 = 1 << 30;
const BYTES_MAX: u32 = 1 << 30;

capacities! {
    accounts_max = 1_024, 1, INDICES_MAX, false, "accounts";
    instruments_max = 64, 1, INDICES_MAX, false, "instruments";
    firms_max = 64, 1, INDICES_MAX, false, "firms and clearing members";
    sessions_max = 64, 1, 16_777_214, false, "client sessions";
    orders_max = 65_536, 1, INDICES_MAX, false, "order slots, those kept for reducing orders included";
    orders_reserved_per_account = 4, 0, 1_024, false, "order slots that each account always has for reducing orders";
    positions_max = 16_384, 1, INDICES_MAX, false, "pairs of account and instrument that hold a position or have lately ordered";
    past_versions_max = 65_536, 1, INDICES_MAX, false, "numbers of past versions that still name their order";
    executions_max = 65_536, 1, INDICES_MAX, false, "executions that a broken trade can still find";
    disputes_max = 256, 1, INDICES_MAX, false, "executions in dispute at a time";
    sweeps_max = 256, 1, INDICES_MAX, false, "mass cancels under way at a time";
    account_rows_spare = 256, 0, ROWS_SPARE_MAX, false, "accounts that may get a limit of their own by command between two reloads";
    connections_max = 128, 1, 65_536, false, "client connections, those not yet logged on included";
    send_buffer_bytes = 262_144, 4_096, BYTES_MAX, false, "bytes for one client that the system holds and the client has not taken; the system may round it";
    logons_pending_max = 64, 1, 65_536, false, "logons whose password waits to be verified";
    explanations_max = 65_536, 1, INDICES_MAX, false, "refusals whose full explanation is kept for later query";
    order_ring_bytes = 4_194_304, 4_096, BYTES_MAX, true, "ring of new orders between ingress and sequencer";
    cancel_ring_bytes = 1_048_576, 4_096, BYTES_MAX, true, "ring of cancels between ingress and sequencer";
    report_ring_bytes = 4_194_304, 4_096, BYTES_MAX, true, "ring of engine reports to the sequencer";
    control_ring_bytes = 262_144, 4_096, BYTES_MAX, true, "ring of commands of this control thread to the sequencer";
    log_ring_bytes = 16_777_216, 4_096, BYTES_MAX, true, "ring of records to the log";
    engine_out_bytes = 262_144, 4_096, BYTES_MAX, false, "bytes of one session that an external engine has not read yet; beyond, orders wait";
    session_store_bytes = 4_194_304, 4_096, BYTES_MAX, false, "sequenced messages kept for resend of a client session; older ones are made again from the journal";
}

impl CapacityField {
    fn read(&self, section: &mut Section<'_>, mistakes: &mut Mistakes<'_>) -> Option<u32> {
        let item = section.take(self.name)?;
        let value = item.integer(self.min.into(), self.max.into(), mistakes)?;
        let value = u32::try_from(value).ok()?;
        if self.power_of_two && !value.is_power_of_two() {
            let what = format!("`{}` is {value}, which is no power of two", self.name);
            item.wrong(
                mistakes,
                what,
                format!("write {}", value.next_power_of_two()),
            );
            return None;
        }
        Some(value)
    }
}
