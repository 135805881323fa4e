//! Properties of the checks, by the core's own registry and tables of fields.
//!
//! Owned by a test. A scene is a configuration and commands that lead to a state; it can be played
//! as often as wanted, so that two decisions start from the same state. Invariant: what differs
//! between two plays is the one thing that the property is about.

mod behind;
mod boundary;
mod facts;
mod flips;
mod reducing;
mod tightening;

use super::config;
use super::driver::CoreMachine;
use super::generator::Generator;
use super::naive::Naive;
use super::op::{Answer, Config, Machine, Op, OrderOp};
use super::prng::Prng;
use super::spec::limit_spec;
use portcullis_domain::{AccountId, Command, FlipLimits, InstrumentId};
use portcullis_risk_core::limits::{LimitSpec, LimitTable};
use portcullis_risk_core::{Done, Effect, Refusal};

/// A state, and an order that would come next.
#[derive(Clone)]
struct Scene {
    seed: u64,
    config: Config,
    spec: LimitSpec,
    commands: Vec<(u64, Op)>,
    time_ns: u64,
    order: OrderOp,
    prng: Prng,
}

impl Scene {
    /// A random state after `len` commands, and the next order of known account and instrument.
    fn random(seed: u64, len: usize) -> Self {
        let mut prng = Prng::new(seed);
        let (config, starts) = config::random(&mut prng);
        let mut generator = Generator::new(prng.clone(), &config, &starts);
        let mut model = Naive::new(&config);
        let mut commands = Vec::new();
        loop {
            let (time_ns, op) = generator.next(|account| model.figures(account));
            if let Op::Order(order) = op
                && commands.len() >= len
                && (order.account as usize) < config.accounts.len()
                && (order.instrument as usize) < config.instruments.len()
            {
                let spec = limit_spec(&config).expect("random limits are well formed");
                return Self {
                    seed,
                    config,
                    spec,
                    commands,
                    time_ns,
                    order,
                    prng,
                };
            }
            let answer = model.apply(time_ns, &op);
            generator.learn(&op, &answer);
            commands.push((time_ns, op));
        }
    }

    /// The core in the scene's state.
    fn play(&self) -> CoreMachine {
        let room = self.commands.len() + 8;
        let mut machine = CoreMachine::new(&self.config, room).expect("random limits load");
        for (time, op) in &self.commands {
            let _ = machine.apply(*time, op);
        }
        machine
    }

    /// The answer to an order in the scene's state, under the scene's limits or others.
    fn judged(&self, order: OrderOp, under: Option<&LimitSpec>) -> Vec<String> {
        let mut machine = self.play();
        if let Some(spec) = under {
            flip(&mut machine, spec);
        }
        match machine.apply(self.time_ns, &Op::Order(order)) {
            Answer::Judged(fails) => fails,
            Answer::Word(word) => panic!("seed {}: an order was answered {word:?}", self.seed),
        }
    }
}

fn ids(order: &OrderOp) -> (AccountId, InstrumentId) {
    (
        AccountId::new(order.account),
        InstrumentId::new(order.instrument),
    )
}

/// Puts other limits into force.
fn flip(machine: &mut CoreMachine, spec: &LimitSpec) {
    let table = LimitTable::build(spec).expect("these limits load");
    let digest = table.digest();
    assert!(
        machine.core.stage(Box::new(table)).is_none(),
        "nothing else was staged"
    );
    let effects = machine.send(Command::FlipLimits(FlipLimits { digest }));
    let flipped = effects.iter().any(|effect| match effect {
        Effect::Controlled(outcome) => matches!(outcome.result, Ok(Done::Epoch(_))),
        Effect::Approved(_)
        | Effect::Refused(_)
        | Effect::Answered(_)
        | Effect::Reported(_)
        | Effect::SessionChanged(_)
        | Effect::StateChanged { .. }
        | Effect::Alarmed(_) => false,
    });
    assert!(flipped, "the flip was answered {effects:?}");
    drop(machine.core.take_retired());
}

/// The refusal among the effects of an order, if it was refused.
fn refusal(effects: &[Effect]) -> Option<&Refusal> {
    effects.iter().find_map(|effect| match effect {
        Effect::Refused(refusal) => Some(refusal),
        Effect::Approved(_)
        | Effect::Answered(_)
        | Effect::Reported(_)
        | Effect::SessionChanged(_)
        | Effect::Controlled(_)
        | Effect::StateChanged { .. }
        | Effect::Alarmed(_) => None,
    })
}
