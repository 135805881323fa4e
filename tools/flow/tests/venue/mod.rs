//! A small venue for tests: SoupBinTCP and OUCH 5.0 on a loopback port, price-time matching, a few
//! refusals, and lies on request.
//!
//! **Thread.** One of its own, joined by [`Venue::stop`].
//! **Invariants.** It counts trades by itself, from its own book, so that tests have something to
//! compare the driver's figures with.
//! **Never.** Share code with the driver.

mod book;

use book::{Book, Report};
use portcullis_domain::Timestamp;
use portcullis_wire::ouch50::{
    CancelReason, EnterOrderView, Inbound, OrderAccepted, OrderCanceled, OrderExecuted,
    OrderReplaced, OrderState, RejectReason, Rejected, ReplaceOrderView, Tag, TimeInForce,
    UserRefNum, salvage,
};
use portcullis_wire::soupbin::{
    LoginRejectReason, ResendStore, ServerEvent, ServerInbound, ServerLimits, ServerOutbound,
    ServerStep, StoreSlot, encode,
};
use portcullis_wire::{Alpha, field::Letter, ouch50::Appendage};
use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How the venue behaves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manners {
    /// Symbols it knows with their ticks.
    pub(crate) symbols: Vec<(&'static str, u64)>,
    /// Firm codes it knows.
    pub(crate) firms: Vec<&'static str>,
    /// What it does wrong, at the n-th order it accepts (from 1).
    pub(crate) lie: Option<(u64, Lie)>,
}

/// A wrong thing to do, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lie {
    /// Answers twice.
    TwoAnswers,
    /// Executes more than is open.
    Overfill,
    /// Answers for a number nobody used.
    StrangeNumber,
    /// Closes the socket.
    Close,
    /// Does the next replace and says nothing.
    SilentReplace,
}

/// What the venue itself counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Enters taken.
    pub(crate) accepted: u64,
    /// Replaces done.
    pub(crate) replaced: u64,
    /// Refused.
    pub(crate) refused: u64,
    /// Shares traded, each trade once.
    pub(crate) executed_qty: u64,
    /// Messages of the kinds it answers nothing to.
    pub(crate) ignored: u64,
    /// Orders that rest when it stops.
    pub(crate) resting: u64,
    /// Sessions that logged out.
    pub(crate) logouts: u64,
}

/// A running venue.
pub(crate) struct Venue {
    pub(crate) address: SocketAddr,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Seen>,
}

impl Venue {
    pub(crate) fn start(manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let address = listener.local_addr().expect("bound");
        listener.set_nonblocking(true).expect("non-blocking");
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut house = House::new(manners);
            while !stopped.load(Ordering::Relaxed) {
                if !house.work(&listener) {
                    std::thread::sleep(Duration::from_micros(50));
                }
            }
            house.seen()
        });
        Self {
            address,
            stop,
            thread,
        }
    }

    /// Ends it and tells what it counted.
    pub(crate) fn stop(self) -> Seen {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the venue did not panic")
    }
}

struct Client {
    stream: TcpStream,
    inbound: ServerInbound,
    outbound: ServerOutbound<Box<[u8]>, Box<[StoreSlot]>>,
    received: Vec<u8>,
    pending: Vec<u8>,
    last_number: u32,
    open: bool,
}

struct House {
    manners: Manners,
    clients: Vec<Client>,
    book: Book,
    /// Order of each live number.
    orders: HashMap<(usize, u32), u64>,
    owners: HashMap<u64, (usize, u32)>,
    seen: Seen,
    /// The answer to the next replace is swallowed.
    mute: bool,
    start: Instant,
}

impl House {
    fn new(manners: Manners) -> Self {
        Self {
            manners,
            clients: Vec::new(),
            book: Book::default(),
            orders: HashMap::new(),
            owners: HashMap::new(),
            seen: Seen::default(),
            mute: false,
            start: Instant::now(),
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_ns(u64::try_from(self.start.elapsed().as_nanos()).expect("short") + 1)
    }

    fn seen(&self) -> Seen {
        Seen {
            resting: self.orders.len() as u64,
            ..self.seen
        }
    }

    fn work(&mut self, listener: &TcpListener) -> bool {
        let mut worked = false;
        if let Ok((stream, _)) = listener.accept() {
            stream.set_nonblocking(true).expect("non-blocking");
            stream.set_nodelay(true).expect("no delay");
            let name = Alpha::new(format!("S{}", self.clients.len()).as_bytes()).expect("short");
            let store = ResendStore::new(
                vec![0; 1 << 22].into_boxed_slice(),
                vec![StoreSlot::default(); 1 << 16].into_boxed_slice(),
                1,
            );
            self.clients.push(Client {
                stream,
                inbound: ServerInbound::new(ServerLimits::default(), self.now()),
                outbound: ServerOutbound::new(name, store),
                received: Vec::new(),
                pending: Vec::new(),
                last_number: 0,
                open: true,
            });
            worked = true;
        }
        for client in 0..self.clients.len() {
            worked |= self.serve(client);
        }
        let now = self.now();
        for client in &mut self.clients {
            client.write(now);
        }
        worked
    }

    fn serve(&mut self, client: usize) -> bool {
        let mut buffer = [0; 4096];
        let at = &mut self.clients[client];
        if !at.open {
            return false;
        }
        match at.stream.read(&mut buffer) {
            Ok(0) => {
                at.open = false;
                return false;
            }
            Ok(len) => at.received.extend_from_slice(&buffer[..len]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
            Err(_) => {
                at.open = false;
                return false;
            }
        }
        let mut received = std::mem::take(&mut self.clients[client].received);
        let now = self.now();
        loop {
            let step = self.clients[client].inbound.step(&received, now);
            let ServerStep::Event { event, consumed } = step else {
                break;
            };
            match event {
                ServerEvent::Login(login) => self.login(client, &login, now),
                ServerEvent::Unsequenced(message) => {
                    let message = message.to_vec();
                    self.message(client, &message);
                }
                ServerEvent::LogoutRequested => {
                    self.seen.logouts += 1;
                    self.clients[client].open = false;
                }
                ServerEvent::Ignored => {}
                ServerEvent::Fault(fault) => panic!("the driver broke SoupBinTCP: {fault}"),
            }
            received.drain(..consumed);
        }
        self.clients[client].received = received;
        true
    }

    fn login(
        &mut self,
        client: usize,
        login: &portcullis_wire::soupbin::LoginRequest,
        now: Timestamp,
    ) {
        let at = &mut self.clients[client];
        let mut packet = [0; 64];
        if login.password.0.as_str() == "wrong" {
            let len = encode::login_rejected(LoginRejectReason::NotAuthorised, &mut packet)
                .expect("room");
            at.pending.extend_from_slice(&packet[..len]);
            return;
        }
        assert!(at.inbound.accept(now));
        at.outbound
            .login(login, now, &mut packet)
            .map(|answer| match answer {
                portcullis_wire::soupbin::LoginAnswer::Accepted { len, .. }
                | portcullis_wire::soupbin::LoginAnswer::Rejected { len, .. } => {
                    at.pending.extend_from_slice(&packet[..len]);
                }
            })
            .expect("room");
    }

    fn publish(&mut self, client: usize, encoded: &[u8]) {
        self.clients[client]
            .outbound
            .publish(encoded)
            .expect("short messages");
    }

    fn message(&mut self, client: usize, bytes: &[u8]) {
        match Inbound::parse(bytes) {
            Ok(Inbound::EnterOrder(view)) => self.enter(client, view),
            Ok(Inbound::ReplaceOrder(view)) => self.replace(client, view),
            Ok(Inbound::CancelOrder(view)) => {
                self.cancel(client, view.user_ref_num().get(), view.quantity());
            }
            Ok(other) => panic!("the driver does not send this: {other:?}"),
            Err(error) => {
                let salvaged = salvage(bytes).expect("an order with a fault in one field");
                self.clients[client].last_number = salvaged.user_ref_num;
                self.reject(
                    client,
                    salvaged.user_ref_num,
                    error.reject_reason(),
                    salvaged.cl_ord_id,
                );
            }
        }
    }

    fn reject(&mut self, client: usize, number: u32, reason: RejectReason, text: Alpha<14>) {
        self.seen.refused += 1;
        let mut out = [0; 64];
        let len = Rejected {
            timestamp: 1,
            user_ref_num: number,
            reason,
            cl_ord_id: text,
        }
        .encode(None, &mut out)
        .expect("room");
        self.publish(client, &out[..len]);
    }

    fn fault_of(&self, view: &EnterOrderView<'_>) -> Option<RejectReason> {
        let symbol = view.symbol();
        let known = self
            .manners
            .symbols
            .iter()
            .find(|(known, _)| symbol.as_str() == *known);
        let Some((_, tick)) = known else {
            return Some(RejectReason::InvalidSymbol);
        };
        let firm = view.find(Tag::Firm).map(|element| format!("{element:?}"));
        let named = |firm: &String| self.manners.firms.iter().any(|known| firm.contains(known));
        if firm.is_some_and(|firm| !named(&firm)) {
            return Some(RejectReason::FirmNotAuthorised);
        }
        if view.unpriceable_tag().is_some() {
            return Some(RejectReason::PeggingNotAllowed);
        }
        if view.time_in_force() == TimeInForce::AfterHours {
            return Some(RejectReason::RiskPostMarketNotAllowed);
        }
        if view.price() != 2_000_000_000 && !view.price().is_multiple_of(*tick) {
            return Some(RejectReason::InvalidPrice);
        }
        (view.quantity() > 10_000).then_some(RejectReason::RiskMaxQuantity)
    }

    fn enter(&mut self, client: usize, view: EnterOrderView<'_>) {
        let number = view.user_ref_num().get();
        if number <= self.clients[client].last_number {
            self.seen.ignored += 1;
            return;
        }
        self.clients[client].last_number = number;
        if let Some(reason) = self.fault_of(&view) {
            self.reject(client, number, reason, view.cl_ord_id());
            return;
        }
        self.seen.accepted += 1;
        let answer = OrderAccepted {
            timestamp: 1,
            user_ref_num: view.user_ref_num(),
            side: view.side(),
            quantity: view.quantity(),
            symbol: view.symbol(),
            price: view.price(),
            time_in_force: view.time_in_force(),
            display: view.display(),
            order_ref_num: self.seen.accepted,
            capacity: view.capacity(),
            iso_eligible: view.iso_eligible(),
            cross_type: view.cross_type(),
            order_state: OrderState::Live,
            cl_ord_id: view.cl_ord_id(),
        };
        let mut out = [0; 128];
        let len = answer
            .encode(Some(Appendage::EMPTY), &mut out)
            .expect("room");
        self.publish(client, &out[..len]);
        if let Some((at, lie)) = self.manners.lie
            && at == self.seen.accepted
        {
            self.lie(client, lie, answer, &out[..len]);
        }
        let id = self.seen.accepted;
        self.orders.insert((client, number), id);
        self.owners.insert(id, (client, number));
        let immediate = view.time_in_force() == TimeInForce::Ioc;
        let reports = self.book.enter(
            id,
            view.symbol(),
            view.side().side(),
            view.price(),
            view.quantity(),
            immediate,
        );
        self.report(reports);
    }

    fn lie(&mut self, client: usize, lie: Lie, answer: OrderAccepted, encoded: &[u8]) {
        let mut out = [0; 128];
        match lie {
            Lie::TwoAnswers => self.publish(client, encoded),
            Lie::Overfill => {
                let len = execution(answer.user_ref_num, answer.quantity + 1, 1, u64::MAX)
                    .encode(Some(Appendage::EMPTY), &mut out)
                    .expect("room");
                self.publish(client, &out[..len]);
            }
            Lie::StrangeNumber => {
                let number = UserRefNum::new(1_000_000).expect("not 0");
                let len = OrderAccepted {
                    user_ref_num: number,
                    ..answer
                }
                .encode(Some(Appendage::EMPTY), &mut out)
                .expect("room");
                self.publish(client, &out[..len]);
            }
            Lie::Close => self.clients[client].open = false,
            Lie::SilentReplace => self.mute = true,
        }
    }

    fn replace(&mut self, client: usize, view: ReplaceOrderView<'_>) {
        let number = view.user_ref_num().get();
        let original = view.orig_user_ref_num().get();
        let id = self.orders.get(&(client, original)).copied();
        let known = id.filter(|_| number > self.clients[client].last_number);
        let Some(id) = known else {
            self.seen.ignored += 1;
            return;
        };
        self.clients[client].last_number = number;
        if view.quantity() > 10_000 {
            let reason = RejectReason::RiskMaxQuantity;
            self.reject(client, number, reason, view.cl_ord_id());
            return;
        }
        let order = self.book.order(id).expect("live");
        let Some(open) = view
            .quantity()
            .checked_sub(order.executed)
            .filter(|open| *open > 0)
        else {
            let reports = self.book.cancel(id, 0);
            self.report(reports);
            return;
        };
        self.seen.replaced += 1;
        self.orders.remove(&(client, original));
        self.orders.insert((client, number), id);
        self.owners.insert(id, (client, number));
        let mut out = [0; 128];
        let len = OrderReplaced {
            timestamp: 1,
            orig_user_ref_num: view.orig_user_ref_num(),
            user_ref_num: view.user_ref_num(),
            side: order.side.into(),
            quantity: open,
            symbol: order.symbol,
            price: view.price(),
            time_in_force: view.time_in_force(),
            display: view.display(),
            order_ref_num: id,
            capacity: portcullis_wire::ouch50::Capacity::Principal,
            iso_eligible: view.iso_eligible(),
            cross_type: portcullis_wire::ouch50::CrossType::None,
            order_state: OrderState::Live,
            cl_ord_id: view.cl_ord_id(),
        }
        .encode(Some(Appendage::EMPTY), &mut out)
        .expect("room");
        if !std::mem::take(&mut self.mute) {
            self.publish(client, &out[..len]);
        }
        let reports = self.book.replace(id, view.price(), open);
        self.report(reports);
    }

    fn cancel(&mut self, client: usize, number: u32, total: u32) {
        match self.orders.get(&(client, number)).copied() {
            Some(id) => {
                let reports = self.book.cancel(id, total);
                self.report(reports);
            }
            None => self.seen.ignored += 1,
        }
    }

    fn report(&mut self, reports: Vec<Report>) {
        for report in reports {
            let mut out = [0; 64];
            match report {
                Report::Traded {
                    maker,
                    taker,
                    price,
                    quantity,
                    match_number,
                } => {
                    self.seen.executed_qty += u64::from(quantity);
                    for id in [taker, maker] {
                        let (client, number) = self.owners[&id];
                        let number = UserRefNum::new(number).expect("not 0");
                        let len = execution(number, quantity, price, match_number)
                            .encode(Some(Appendage::EMPTY), &mut out)
                            .expect("room");
                        self.publish(client, &out[..len]);
                    }
                }
                Report::Canceled {
                    id,
                    quantity,
                    asked,
                } => {
                    let (client, number) = self.owners[&id];
                    let len = OrderCanceled {
                        timestamp: 1,
                        user_ref_num: UserRefNum::new(number).expect("not 0"),
                        quantity,
                        reason: if asked {
                            CancelReason::User
                        } else {
                            CancelReason::Ioc
                        },
                    }
                    .encode(None, &mut out)
                    .expect("room");
                    self.publish(client, &out[..len]);
                }
                Report::Closed { id } => {
                    let owner = self.owners.remove(&id).expect("known");
                    self.orders.remove(&owner);
                }
            }
        }
    }
}

fn execution(number: UserRefNum, quantity: u32, price: u64, match_number: u64) -> OrderExecuted {
    OrderExecuted {
        timestamp: 1,
        user_ref_num: number,
        quantity,
        price,
        liquidity_flag: Letter::new(b'R').expect("printable"),
        match_number,
    }
}

impl Client {
    fn write(&mut self, now: Timestamp) {
        let mut packets = vec![0; 1 << 16];
        if self.pending.len() < 1 << 16 {
            let len = self.outbound.pump(now, &mut packets).expect("not lagged");
            self.pending.extend_from_slice(&packets[..len]);
        }
        if self.pending.is_empty() {
            if !self.open {
                let _gone = self.stream.shutdown(std::net::Shutdown::Both);
            }
            return;
        }
        match self.stream.write(&self.pending) {
            Ok(len) => {
                self.pending.drain(..len);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(_) => {
                self.pending.clear();
                self.open = false;
            }
        }
    }
}
