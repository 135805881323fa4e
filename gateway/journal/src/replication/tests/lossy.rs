//! Two nodes, seeded: cuts at any byte, delays, doubled connections, restarts, losses of power, promotions while the
//! old leader lives on.
//!
//! The claims are asserted in [`super::world`]: what a follower acknowledges is its leader's, record for record; one
//! record at the most is let out under a number, ever; one node at the most lets anything out in a term; a promoted
//! node has all that was let out. Then the links heal, and one leads and the other has the same log.

use super::world::{Role, World};

const SEEDS: u64 = 1_000;
const TURNS: u64 = 600;

fn turn(world: &mut World) {
    let node = world.random.below(2) as usize;
    match world.random.below(100) {
        0..15 => world.append(node),
        15..16 => {
            if world.random.below(3) == 0 {
                world.forget(node);
            }
        }
        16..22 => world.connect(node),
        22..34 => {
            if world.connections() > 0 {
                let index = world.connections() - 1;
                world.send(index, 4_000);
                world.deliver(index, 4_000);
            }
        }
        34..38 => {
            let millis = pause(world);
            world.wait(millis);
        }
        38..39 => {
            let power_fails = world.random.below(3) == 0;
            world.restart(node, power_fails);
        }
        39..41 => world.promote(node, false),
        41..43 => rejoin(world, node),
        _ => {
            let links = world.connections() as u64;
            if links == 0 {
                return;
            }
            let index = world.random.below(links) as usize;
            let count = 1 + world.random.below(400) as usize;
            match world.random.below(40) {
                0 => world.cut(index),
                1..20 => world.send(index, count),
                _ => world.deliver(index, count),
            }
        }
    }
}

fn pause(world: &mut World) -> u64 {
    if world.random.below(10) == 0 {
        1 + world.random.below(1_500)
    } else {
        1 + world.random.below(60)
    }
}

/// Who was fenced is started again, as a follower.
fn rejoin(world: &mut World, node: usize) {
    if matches!(world.nodes[node].role, Role::Fenced) {
        world.restart(node, false);
    }
}

/// Links work, a person looks after both nodes, and in the end both have one log.
fn heal(world: &mut World) {
    for _ in 0..400 {
        let leads = [0, 1].map(|node| world.nodes[node].leads());
        // Somebody starts who was succeeded and does not know as a follower.
        if let [Some(zero), Some(one)] = leads {
            world.start_as_follower(usize::from(one < zero));
        }
        if leads == [None, None] {
            let [zero, one] = &world.nodes;
            let best = usize::from(one.words.len() > zero.words.len());
            rejoin(world, best);
            world.promote(best, true);
        }
        for node in [0, 1] {
            rejoin(world, node);
            let idle = match &world.nodes[node].role {
                Role::Follows(machine) | Role::Leads(_, Some(machine)) => {
                    machine.deadline().is_none()
                }
                Role::Leads(_, None) | Role::Fenced => false,
            };
            if idle {
                world.connect(node);
            }
        }
        world.append(0);
        world.append(1);
        for index in 0..world.connections() {
            world.send(index, usize::MAX);
            world.deliver(index, usize::MAX);
        }
        world.wait(40);
    }
    let leads = [0, 1].map(|node| world.nodes[node].leads().is_some());
    assert!(leads[0] != leads[1], "one leads in the end: {leads:?}");
    for _ in 0..100 {
        for index in 0..world.connections() {
            world.send(index, usize::MAX);
            world.deliver(index, usize::MAX);
        }
        world.wait(5);
    }
    let [zero, one] = &world.nodes;
    assert!(zero.words == one.words, "both have one log");
    assert!(world.let_out == zero.words, "all of it was let out, once");
}

#[test]
fn whatever_the_links_do_no_number_is_let_out_twice_and_nothing_is_lost() {
    let mut sums = [0; 7];
    for seed in 0..SEEDS {
        let mut world = World::new(seed);
        let run = std::panic::AssertUnwindSafe(|| {
            (0..TURNS).for_each(|_| turn(&mut world));
            heal(&mut world);
        });
        if std::panic::catch_unwind(run).is_err() {
            panic!("seed {seed} broke a claim:\n{}", world.story.join("\n"));
        }
        let counts = &world.counts;
        let of_run = [
            counts.frames_taken,
            counts.snapshots,
            counts.promotions,
            counts.fences,
            counts.refusals,
            counts.two_led,
            counts.resumed,
        ];
        for (sum, count) in sums.iter_mut().zip(of_run) {
            *sum += count;
        }
    }
    assert!(
        sums.iter().all(|sum| *sum > SEEDS / 50),
        "each was tried: {sums:?}"
    );
}
