//! The memory of a ring of messages.
//!
//! Shared by both ends; who may touch which units is the cursors' to say. Invariants: a message lies
//! in consecutive units, those beyond the last index in the spill behind it; a lead has no drop, so
//! that memory that is written over needs no care.

use super::Lead;
use crate::prefetch::prefetch_at;
use portcullis_domain::{Head, RAW_BYTES_MAX, UNIT_BYTES, Unit};
use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::mem::{MaybeUninit, needs_drop, offset_of};
use std::sync::Arc;

type Cells = Box<[UnsafeCell<MaybeUninit<Unit>>]>;

/// The memory.
#[derive(Debug)]
pub(super) struct Slots<T> {
    units: Arc<Units>,
    leads: PhantomData<T>,
}

#[derive(Debug)]
struct Units {
    cells: Cells,
    /// What the model checker sees of each unit: it cannot see through a pointer.
    #[cfg(feature = "loom")]
    watched: Vec<loom::cell::UnsafeCell<()>>,
}

#[expect(unsafe_code, reason = "the units are shared without a lock")]
// SAFETY: a unit is touched by one end at a time, which the cursors see to: by the producer before
// its publication (a release that the consumer acquires), by the consumer until its release (which
// the producer acquires). What lies in it is sent from thread to thread: a `Lead` is `Send`, the rest
// are bytes.
unsafe impl Sync for Units {}

impl<T> Clone for Slots<T> {
    fn clone(&self) -> Self {
        Self {
            units: Arc::clone(&self.units),
            leads: PhantomData,
        }
    }
}

impl<T: Lead> Slots<T> {
    const LEAD_UNITS: usize = {
        assert!(
            align_of::<T>() <= UNIT_BYTES,
            "a unit is aligned for a lead"
        );
        assert!(!needs_drop::<T>(), "what is written over is not dropped");
        size_of::<T>().div_ceil(UNIT_BYTES)
    };

    /// Memory of so many units, and the spill that the longest message needs that begins at the last.
    pub(super) fn new(units: usize, units_max: usize) -> Self {
        // Touched now, and not at first use.
        let cell = || UnsafeCell::new(MaybeUninit::new(Unit::ZERO));
        let count = units + units_max;
        let cells = std::iter::repeat_with(cell).take(count).collect();
        let units = Units {
            cells,
            #[cfg(feature = "loom")]
            watched: (0..count)
                .map(|_| loom::cell::UnsafeCell::new(()))
                .collect(),
        };
        Self {
            units: Arc::new(units),
            leads: PhantomData,
        }
    }

    /// Writes a message from this unit on; the lead where it lies.
    ///
    /// # Safety
    /// The cursor has given the message's units to the producer, and they are not published.
    #[expect(unsafe_code, reason = "messages lie in units in one piece")]
    #[inline(always)]
    pub(super) unsafe fn put(&mut self, first: usize, lead: T, bytes: &[u8]) -> &T {
        let units = super::units_of::<T>(bytes.len());
        let at = self.units.of(first, units);
        #[cfg(feature = "loom")]
        self.units.watch_write(first, units);
        // SAFETY: `of` has seen that the units are inside the memory; they are aligned for a lead, as
        // was asserted, and nobody else's by the caller's word. `bytes` does not lie in them: only
        // the consumer's end gives references into the ring, and of units that are not the producer's. The lead
        // that is returned was written here, and holds this end by `&mut`, so that it is neither shown nor
        // written over while it lives.
        unsafe {
            at.cast::<T>().write(lead);
            if !bytes.is_empty() {
                let behind = at.add(Self::LEAD_UNITS).cast::<u8>();
                behind.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            }
            &*at.cast::<T>()
        }
    }

    /// As [`Self::put`], where what stands behind the lead lies in whole units.
    ///
    /// # Safety
    /// As of [`Self::put`].
    #[expect(unsafe_code, reason = "messages lie in units in one piece")]
    #[inline(always)]
    pub(super) unsafe fn put_units(&mut self, first: usize, lead: T, behind: &[Unit]) -> &T {
        let units = Self::LEAD_UNITS + behind.len();
        let at = self.units.of(first, units);
        #[cfg(feature = "loom")]
        self.units.watch_write(first, units);
        // SAFETY: as in `put`.
        unsafe {
            at.cast::<T>().write(lead);
            let to = at.add(Self::LEAD_UNITS);
            // Few are moved here: to have them moved takes longer.
            match behind {
                [] => {}
                [only] => to.write(*only),
                [one, other] => {
                    to.write(*one);
                    to.add(1).write(*other);
                }
                more => to.copy_from_nonoverlapping(more.as_ptr(), more.len()),
            }
            &*at.cast::<T>()
        }
    }

    /// Asks for the lines of a message that may begin at this unit: its lead, and the first of what
    /// stands behind that.
    #[inline]
    pub(super) fn expect(&self, first: usize) {
        let at = self.units.cells.as_ptr().wrapping_add(first);
        for unit in 0..=Self::LEAD_UNITS {
            prefetch_at(at.wrapping_add(unit));
        }
    }

    /// The lead of the message that begins at this unit, where what stands behind it begins, and how many bytes
    /// that has, all of them inside the memory.
    ///
    /// # Safety
    /// As of [`Self::get`].
    #[expect(unsafe_code, reason = "messages are read where they lie")]
    #[inline(always)]
    unsafe fn reach(&self, first: usize) -> (&T, *const Unit, usize) {
        // Of the longest message, wherever it begins: one look for its lead and what stands behind that.
        let at = self.units.of(first, super::units_max::<T>());
        #[cfg(feature = "loom")]
        self.units.watch_read(first, Self::LEAD_UNITS);
        // SAFETY: the units are inside the memory, a lead of this type was written there by `put`, and
        // nobody writes to it until it is released.
        let lead = unsafe { &*at.cast::<T>() };
        let len = lead.bytes_behind();
        assert!(
            len <= RAW_BYTES_MAX,
            "a message is no longer than it may be"
        );
        #[cfg(feature = "loom")]
        self.units.watch_read(first, super::units_of::<T>(len));
        // SAFETY: the longest message's units are inside the memory, as `of` has seen.
        let behind = unsafe { at.add(Self::LEAD_UNITS) };
        (lead, behind, len)
    }

    /// The message that begins at this unit.
    ///
    /// # Safety
    /// A message was written there and published, and is not released while the references live.
    #[expect(unsafe_code, reason = "messages are read where they lie")]
    #[inline]
    pub(super) unsafe fn get(&self, first: usize) -> (&T, &[u8]) {
        // SAFETY: the caller's word.
        let (lead, behind, len) = unsafe { self.reach(first) };
        // SAFETY: as many bytes as the lead says were written behind it, since `put` holds one
        // against the other, and `reach` has seen that they are inside the memory.
        let bytes = unsafe { std::slice::from_raw_parts(behind.cast::<u8>(), len) };
        (lead, bytes)
    }

    /// As [`Self::get`], with the lead itself, if it `fits`.
    ///
    /// # Safety
    /// As of [`Self::get`]; and where it fits it is neither got nor taken again.
    #[expect(unsafe_code, reason = "a lead is moved out once")]
    #[inline]
    pub(super) unsafe fn take_if(
        &self,
        first: usize,
        fits: impl FnOnce(&T) -> bool,
    ) -> Option<(T, &[u8])> {
        // SAFETY: the caller's word.
        let (lead, bytes) = unsafe { self.get(first) };
        if !fits(lead) {
            return None;
        }
        // SAFETY: `lead` is a live reference, and by the caller's word the last one; what is left
        // behind is never dropped.
        let lead = unsafe { std::ptr::from_ref(lead).read() };
        Some((lead, bytes))
    }
}

// What `put_stamped` relies on.
const _: () = assert!(offset_of!(Head, seq) == 0 && offset_of!(Head, timestamp_ns) == 8);

impl Slots<Head> {
    /// As [`Self::put_units`], of a head with another number and time.
    ///
    /// Both are put down in one store, as the rest of the head is in three: who moves it on at once, in whole
    /// pieces, finds each in one store. A piece of two stores would be waited for until both, and all stores before
    /// them, have left the core: a publication among them waits for its line to come over.
    ///
    /// # Safety
    /// As of [`Self::put`].
    #[expect(unsafe_code, reason = "messages lie in units in one piece")]
    #[inline(always)]
    pub(super) unsafe fn put_stamped(
        &mut self,
        first: usize,
        head: &Head,
        (seq, timestamp_ns): (u64, u64),
        behind: &[Unit],
    ) -> &Head {
        // SAFETY: the caller's word.
        unsafe { self.put_units(first, *head, behind) };
        let at = self.units.of(first, 1);
        // SAFETY: `of` has seen that the unit is inside the memory, and it is the producer's by the caller's word. It
        // is aligned for all that is no longer than itself; a head begins with its number and its time, each of
        // eight bytes, and any bytes are a head. The instruction is in the base set of every x86-64.
        unsafe {
            #[cfg(target_arch = "x86_64")]
            {
                use core::arch::x86_64::{__m128i, _mm_set_epi64x};
                let stamp = _mm_set_epi64x(timestamp_ns.cast_signed(), seq.cast_signed());
                at.cast::<__m128i>().write(stamp);
            }
            #[cfg(not(target_arch = "x86_64"))]
            at.cast::<[u64; 2]>().write([seq, timestamp_ns]);
            &*at.cast::<Head>()
        }
    }

    /// As [`Self::get`], with the whole units that the bytes behind the lead lie in: a head leaves no byte of
    /// its units unwritten, as what leads other rings may, so that each byte of them was written once.
    ///
    /// # Safety
    /// As of [`Self::get`].
    #[expect(unsafe_code, reason = "messages are read where they lie")]
    #[inline]
    pub(super) unsafe fn get_units(&self, first: usize) -> (&Head, &[Unit]) {
        // SAFETY: the caller's word.
        let (head, behind, len) = unsafe { self.reach(first) };
        // SAFETY: `reach` has seen that the message's units are inside the memory. Every byte of a ring of heads
        // is one of a unit that was zero at first, of a head or of bytes.
        let behind = unsafe { std::slice::from_raw_parts(behind, len.div_ceil(UNIT_BYTES)) };
        (head, behind)
    }
}

impl Units {
    /// Where `count` units from this one on lie.
    ///
    /// # Panics
    /// If they are not all inside.
    #[expect(
        unsafe_code,
        reason = "a pointer to one unit from which the next ones are reached"
    )]
    #[inline]
    fn of(&self, first: usize, count: usize) -> *mut Unit {
        assert!(first + count <= self.cells.len(), "units of the ring");
        // SAFETY: `first` is inside, as was asserted. The pointer is that of the whole, so that those
        // behind it may be reached from it; a cell has the layout of what is in it.
        unsafe { self.cells.as_ptr().add(first).cast_mut().cast::<Unit>() }
    }

    #[cfg(feature = "loom")]
    fn watch_write(&self, first: usize, count: usize) {
        for unit in &self.watched[first..first + count] {
            unit.with_mut(|_| ());
        }
    }

    #[cfg(feature = "loom")]
    fn watch_read(&self, first: usize, count: usize) {
        for unit in &self.watched[first..first + count] {
            unit.with(|_| ());
        }
    }
}
