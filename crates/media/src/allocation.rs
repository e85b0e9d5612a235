//! What one receiver's line is spent on: one estimate, divided over the pictures that the receiver wishes, the most
//! important first. Pure: it knows neither packets nor peers, and time comes in.
//!
//! Falls at once; climbs only into room that has been there for a while, and seldom, so that a picture does not flap.

use std::time::{Duration, Instant};

use crate::api::Generation;
use crate::thinning::ALL;

/// Of what a line carries, so much may be filled by climbing; the rest is for what rates and estimates vary.
const CLIMB_PERCENT: u64 = 85;
/// What all wishes together take, and this much on top, is worth looking for.
const LOOK_PERCENT: u64 = 160;
/// How long there has to be room before it is used.
const LASTED: Duration = Duration::from_secs(2);
/// And before a picture that was paused comes back as less than its smallest layer.
const LASTED_THIN: Duration = Duration::from_secs(5);
/// Or, the first time, as all of it.
const LASTED_PAUSED: Duration = Duration::from_millis(500);
const LASTED_AMPLE: Duration = Duration::from_millis(500);
/// After a change a picture rests: not at all where there is ample room, briefly where there is plenty.
const REST: Duration = Duration::from_secs(60);
const REST_SHORT: Duration = Duration::from_secs(10);
/// A picture that was paused, or got less than its smallest layer, comes back sooner: the first time at once, since a line that
/// becomes thin has one long queue and then none, and the next time within the time of the long rest a little later.
const REST_PAUSED: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];
/// Of what would be sent then, so much has to fit.
const AMPLE_PERCENT: u64 = 200;
const PLENTY_PERCENT: u64 = 150;
/// And of what movement comes back to once more, at most the smallest layer, so much has to fit beside the others.
const RETURN_PERCENT: u64 = 130;
/// From so many cameras on they get no more than this together, however thick the line is: nobody can look at all.
const MANY_CAMERAS: usize = 9;
const MANY_CAMERAS_BPS: u64 = 3_700_000;

/// A picture that the receiver shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    pub slot: usize,
    /// Another generation is another picture.
    pub generation: Generation,
    /// 0 is the most important.
    pub rank: u8,
    pub camera: bool,
    /// What could be sent, from the least to the layer that fills the tile. Never empty.
    pub options: Vec<Choice>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    pub step: Step,
    pub bps: u64,
}

/// A layer, or what is left of it without its upper temporal layers. A larger picture that moves less is more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Step {
    pub layer: usize,
    /// The uppermost temporal layer.
    pub temporal: u8,
}

impl Step {
    pub fn whole(layer: usize) -> Self {
        Self {
            layer,
            temporal: ALL,
        }
    }
}

/// What was decided, wish by wish.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Decision {
    /// `None`: there is no room for this picture.
    pub steps: Vec<Option<Step>>,
    /// Every picture fills its tile.
    pub full: bool,
    /// What all wishes together would take.
    pub wanted_bps: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Allocation {
    held: Vec<Held>,
}

/// What a wish was given.
#[derive(Clone, Copy, Debug)]
struct Held {
    slot: usize,
    generation: Generation,
    rank: u8,
    step: Option<Step>,
    /// The layer that would fill the tile.
    most: usize,
    /// When what it is given was changed though nobody wished it otherwise.
    changed: Option<Instant>,
    room_since: Option<Instant>,
    /// When it came back from a pause, or from less than its smallest layer, the last time.
    returned: Option<Instant>,
    /// How often it has done so, each time within the long rest after the last.
    returns: usize,
    /// The receiver wishes it for the first time, or more of it than before: that has not to wait.
    is_news: bool,
}

impl Allocation {
    /// `budget`: bits per second for pictures; `None` while nothing is known of the line.
    pub fn decide(&mut self, now: Instant, budget: Option<u64>, wishes: &[Wish]) -> Decision {
        let mut held: Vec<Held> = wishes
            .iter()
            .map(|wish| self.held_for(wish).unwrap_or_else(|| Held::new(wish)))
            .collect();
        let mut order: Vec<usize> = (0..wishes.len()).collect();
        order.sort_by_key(|index| wishes.get(*index).map(|wish| (wish.rank, wish.slot)));
        let given = wishes.iter().zip(&held);
        let mut plan = Plan {
            wishes,
            order: &order,
            levels: given
                .map(|(wish, held)| level_of(wish, held.step))
                .collect(),
            is_news: held.iter().map(|held| held.is_news).collect(),
        };
        let before = plan.levels.clone();
        let line = Line::new(budget, wishes);
        plan.fall(line);
        let goal = plan.goal(line);
        for index in order.iter().copied() {
            let (Some(to), Some(from)) = (goal.get(index).copied(), plan.level(index)) else {
                continue;
            };
            let Some(held) = held.get_mut(index) else {
                continue;
            };
            if to <= from {
                held.room_since = None;
                continue;
            }
            let Some(wish) = wishes.get(index) else {
                continue;
            };
            let since = *held.room_since.get_or_insert(now);
            let room = plan.room(index, to, line);
            if held.is_news
                || budget.is_none()
                || held.may_climb(now, since, (from, to, wish.base()), room)
            {
                plan.climb(index, to, &goal, line);
            }
        }
        for (index, (held, wish)) in held.iter_mut().zip(wishes).enumerate() {
            let level = plan.level(index).unwrap_or(0);
            if before.get(index) != Some(&level) {
                held.changed = Some(now).filter(|_| !held.is_news);
                if before.get(index) < Some(&wish.base().min(level)) && !held.is_news {
                    held.returns = held.returns_until(now) + 1;
                    held.returned = held.changed;
                }
                held.room_since = None;
            }
            held.step = step_of(wish, level);
            held.is_news = false;
        }
        let decision = Decision {
            steps: held.iter().map(|held| held.step).collect(),
            full: (0..wishes.len()).all(|index| plan.level(index) == plan.top(index)),
            wanted_bps: plan.at_most() * LOOK_PERCENT / 100,
        };
        self.held = held;
        decision
    }

    /// What the wish has been given so far; nothing if it is another one.
    fn held_for(&self, wish: &Wish) -> Option<Held> {
        let of_slot = |held: &&Held| held.slot == wish.slot && held.generation == wish.generation;
        let held = self.held.iter().find(of_slot)?;
        let is_news = wish.rank < held.rank || wish.most() > held.most;
        Some(Held {
            rank: wish.rank,
            most: wish.most(),
            changed: held.changed.filter(|_| !is_news),
            room_since: held.room_since.filter(|_| !is_news),
            is_news,
            ..*held
        })
    }
}

impl Held {
    fn new(wish: &Wish) -> Self {
        Self {
            slot: wish.slot,
            generation: wish.generation,
            rank: wish.rank,
            step: None,
            most: wish.most(),
            changed: None,
            room_since: None,
            returned: None,
            returns: 0,
            is_news: true,
        }
    }

    /// How often it came back lately.
    fn returns_until(&self, now: Instant) -> usize {
        let is_recent = |then| now.saturating_duration_since(then) < REST;
        match self.returned.is_some_and(is_recent) {
            true => self.returns,
            false => 0,
        }
    }

    /// From one level to another; from `base` on it is the whole smallest layer or more.
    fn may_climb(
        &self,
        now: Instant,
        room_since: Instant,
        (from, to, base): (usize, usize, usize),
        room: Room,
    ) -> bool {
        let since = |then: Instant| now.saturating_duration_since(then);
        if room.percent >= AMPLE_PERCENT {
            return since(room_since) >= LASTED_AMPLE;
        }
        let returns = self.returns_until(now);
        let may_sooner = from == 0 || returns == 0 || room.own_percent >= RETURN_PERCENT;
        let sooner = REST_PAUSED.get(returns).filter(|_| may_sooner).copied();
        let rest = match from < base {
            true => sooner.unwrap_or(REST_SHORT),
            false if room.percent >= PLENTY_PERCENT => REST_SHORT,
            false => REST,
        };
        // A line that only dipped bears the whole layer again soon.
        let lasted = match from == 0 {
            true if to < base => LASTED_THIN,
            true if returns == 0 => LASTED_PAUSED,
            _ => LASTED,
        };
        since(room_since) >= lasted && self.changed.is_none_or(|changed| since(changed) >= rest)
    }
}

impl Wish {
    fn most(&self) -> usize {
        self.options.last().map_or(0, |choice| choice.step.layer)
    }

    /// The level of its smallest layer with all its temporal layers.
    fn base(&self) -> usize {
        let smallest = self.options.first().map(|choice| choice.step.layer);
        let of_smallest = |choice: &&Choice| Some(choice.step.layer) == smallest;
        self.options.iter().take_while(of_smallest).count()
    }

    /// What a level costs; level 0 is a pause.
    fn cost(&self, level: usize) -> u64 {
        level
            .checked_sub(1)
            .and_then(|index| self.options.get(index))
            .map_or(0, |choice| choice.bps)
    }
}

/// The level at which this goes out, or the next less that there is.
fn level_of(wish: &Wish, step: Option<Step>) -> usize {
    let Some(step) = step else { return 0 };
    let at = wish.options.iter().filter(|choice| choice.step <= step);
    at.count().max(1)
}

fn step_of(wish: &Wish, level: usize) -> Option<Step> {
    let choice = wish.options.get(level.checked_sub(1)?)?;
    Some(choice.step)
}

/// What may be spent. Cameras together are bounded where there are many of them.
#[derive(Clone, Copy, Debug)]
struct Line {
    bps: u64,
    cameras: u64,
}

impl Line {
    fn new(budget: Option<u64>, wishes: &[Wish]) -> Self {
        let cameras = wishes.iter().filter(|wish| wish.camera).count();
        Self {
            bps: budget.unwrap_or(u64::MAX / 100),
            cameras: match cameras >= MANY_CAMERAS {
                true => MANY_CAMERAS_BPS,
                false => u64::MAX / 100,
            },
        }
    }

    fn to_climb(self) -> Self {
        Self {
            bps: self.bps / 100 * CLIMB_PERCENT,
            cameras: self.cameras / 100 * CLIMB_PERCENT,
        }
    }
}

/// How much room there would be if a picture climbed.
#[derive(Clone, Copy, Debug)]
struct Room {
    /// What the line carries, of what would be sent then.
    percent: u64,
    /// What the others leave, of what it takes, or of what the smallest layer takes.
    own_percent: u64,
}

struct Plan<'a> {
    wishes: &'a [Wish],
    /// The most important first.
    order: &'a [usize],
    levels: Vec<usize>,
    is_news: Vec<bool>,
}

impl Plan<'_> {
    fn level(&self, index: usize) -> Option<usize> {
        self.levels.get(index).copied()
    }

    fn top(&self, index: usize) -> Option<usize> {
        self.wishes.get(index).map(|wish| wish.options.len())
    }

    fn set(&mut self, index: usize, level: usize) {
        if let Some(entry) = self.levels.get_mut(index) {
            *entry = level;
        }
    }

    fn sum(&self, counts: impl Fn(&Wish) -> bool) -> u64 {
        let wishes = self.wishes.iter().zip(&self.levels);
        wishes
            .filter(|(wish, _)| counts(wish))
            .map(|(wish, level)| wish.cost(*level))
            .sum()
    }

    fn at_most(&self) -> u64 {
        let dearest = |wish: &Wish| wish.options.iter().map(|choice| choice.bps).max();
        self.wishes.iter().filter_map(dearest).sum()
    }

    fn fits(&self, line: Line) -> bool {
        self.sum(|_| true) <= line.bps
    }

    /// Cameras are never paused because there are many.
    fn crowds(&self, line: Line) -> bool {
        self.sum(|wish| wish.camera) > line.cameras
    }

    /// Down to what the line carries: the least important falls first, as deep as to its smallest layer; then all lose
    /// movement in the same order; only then is one paused.
    fn fall(&mut self, line: Line) {
        for (index, level) in self.levels.iter_mut().enumerate() {
            *level = (*level).min(self.wishes.get(index).map_or(0, |wish| wish.options.len()));
        }
        loop {
            let (fits, crowds) = (self.fits(line), self.crowds(line));
            if fits && !crowds {
                return;
            }
            let may_fall = |index: usize, least: usize| {
                let camera = self.wishes.get(index).is_some_and(|wish| wish.camera);
                self.level(index) > Some(least) && (!fits || camera)
            };
            let tall = |index: &&usize| may_fall(**index, self.base(**index));
            let lively = |index: &&usize| may_fall(**index, 1);
            let paused_next = |index: &&usize| !fits && self.level(**index) == Some(1);
            let least = self.order.iter().rev();
            let Some(index) = least
                .clone()
                .find(tall)
                .or(least.clone().find(lively))
                .or(least.clone().find(paused_next))
            else {
                return;
            };
            let (index, level) = (*index, self.level(*index).unwrap_or(1));
            self.set(index, level - 1);
        }
    }

    /// What the line would be spent on if nobody had anything yet: the least for each, as far as that goes, then the whole
    /// smallest layer for each, then for each in turn the most for which there is room.
    fn goal(&self, line: Line) -> Vec<usize> {
        let climb = line.to_climb();
        let mut goal = Plan {
            wishes: self.wishes,
            order: self.order,
            levels: vec![0; self.wishes.len()],
            is_news: vec![],
        };
        for index in self.order.iter().copied() {
            goal.set(index, 1);
            if !goal.fits(self.line_for(index, 1, line)) {
                goal.set(index, 0);
            }
        }
        for index in self.order.iter().copied() {
            goal.raise(index, self.base(index), climb);
        }
        for index in self.order.iter().copied() {
            goal.raise(index, self.top(index).unwrap_or(0), climb);
        }
        goal.levels
    }

    /// To the highest level up to this one for which there is room.
    fn raise(&mut self, index: usize, to: usize, line: Line) {
        let Some(from) = self.level(index).filter(|from| *from > 0) else {
            return;
        };
        for level in (from + 1..=to).rev() {
            self.set(index, level);
            if self.fits(line) && !self.crowds(line) {
                return;
            }
        }
        self.set(index, from);
    }

    fn base(&self, index: usize) -> usize {
        self.wishes.get(index).map_or(0, Wish::base)
    }

    /// What a level may fill: the whole line if it goes out already, or to begin with.
    fn line_for(&self, index: usize, level: usize, line: Line) -> Line {
        let begins = level == 1 && self.is_news.get(index) == Some(&true);
        if begins || self.level(index) >= Some(level) {
            line
        } else {
            line.to_climb()
        }
    }

    fn room(&self, index: usize, to: usize, line: Line) -> Room {
        let cost = |level| self.wishes.get(index).map_or(0, |wish| wish.cost(level));
        let from = self.level(index).unwrap_or(0);
        let others = self.sum(|_| true).saturating_sub(cost(from));
        let percent = |bps: u64, of: u64| bps.saturating_mul(100) / of.max(1);
        Room {
            percent: percent(line.bps, others + cost(to)),
            own_percent: percent(
                line.bps.saturating_sub(others),
                cost(to.min(self.base(index))),
            ),
        }
    }

    /// Takes the room from those that have more than their share, or does nothing. That is from the less important ones,
    /// or, up to the smallest layer, which everybody gets first, from anybody.
    fn climb(&mut self, index: usize, to: usize, goal: &[usize], line: Line) {
        let before = self.levels.clone();
        let base = self.base(index);
        let line = self.line_for(index, to, line);
        self.set(index, to);
        while !self.fits(line) || (to > 1 && self.crowds(line)) {
            let mut later = self.order.iter().copied().rev();
            let has_more = |other: &usize| self.level(*other) > goal.get(*other).copied();
            let from = later.find(|other| (to > base && *other == index) || has_more(other));
            let Some(other) = from.filter(|other| *other != index) else {
                self.levels = before;
                return;
            };
            self.set(other, goal.get(other).copied().unwrap_or(0));
        }
    }
}

#[cfg(test)]
#[allow(
    clippy::disallowed_methods,
    reason = "tests need one arbitrary instant to count from"
)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CAMERA: [u64; 3] = [120_000, 420_000, 1_300_000];
    const SCREEN: [u64; 2] = [500_000, 2_500_000];

    fn wish(slot: usize, rank: u8, camera: bool, rates: &[u64]) -> Wish {
        let choice = |(layer, bps): (usize, &u64)| Choice {
            step: Step::whole(layer),
            bps: *bps,
        };
        Wish {
            slot,
            generation: Generation(1),
            rank,
            camera,
            options: rates.iter().enumerate().map(choice).collect(),
        }
    }

    fn cameras(count: usize, layers: usize) -> Vec<Wish> {
        (0..count)
            .map(|slot| wish(slot, slot as u8, true, CAMERA.get(..layers).unwrap()))
            .collect()
    }

    /// With three temporal layers each, as Chromium divides them.
    fn lively(mut wishes: Vec<Wish>) -> Vec<Wish> {
        for wish in &mut wishes {
            let parts = |choice: &Choice| {
                let part = |temporal, percent| Choice {
                    step: Step {
                        temporal,
                        ..choice.step
                    },
                    bps: choice.bps * percent / 100,
                };
                let least = (choice.step.layer == 0).then(|| part(0, 40));
                least.into_iter().chain([part(1, 60), *choice])
            };
            wish.options = wish.options.iter().flat_map(parts).collect();
        }
        wishes
    }

    /// `.` is a pause, `q`, `h` and `f` are layers, and a number is the uppermost temporal layer that is left.
    fn written(decision: &Decision) -> String {
        let one = |step: &Option<Step>| {
            let Some(step) = step else { return ".".into() };
            let letter = ["q", "h", "f"].get(step.layer).copied().unwrap();
            match step.temporal {
                ALL => letter.to_owned(),
                temporal => format!("{letter}{temporal}"),
            }
        };
        decision.steps.iter().map(one).collect()
    }

    fn spent(wishes: &[Wish], decision: &Decision) -> u64 {
        let given = wishes.iter().zip(&decision.steps);
        let cost = |(wish, step): (&Wish, &Option<Step>)| {
            let choice = wish
                .options
                .iter()
                .find(|choice| Some(choice.step) == *step);
            choice.map_or(0, |choice| choice.bps)
        };
        given.map(cost).sum()
    }

    #[test]
    fn the_most_important_get_the_most_and_everybody_something_first() {
        let screen_and_two = vec![
            wish(7, 0, false, &SCREEN),
            wish(0, 1, true, &CAMERA),
            wish(1, 2, true, &CAMERA),
        ];
        let twenty = format!("hh{}", "q".repeat(18));
        let forty = "q".repeat(40);
        type Row<'a> = (&'a str, Vec<Wish>, Option<u64>, &'a str);
        let table: Vec<Row<'_>> = vec![
            ("nothing known of the line", cameras(3, 3), None, "fff"),
            ("room for all", cameras(3, 3), Some(5_000_000), "fff"),
            ("one large", cameras(3, 3), Some(2_200_000), "fhq"),
            ("the smallest for each", cameras(3, 3), Some(430_000), "qqq"),
            (
                "the least important goes",
                cameras(3, 3),
                Some(300_000),
                "qq.",
            ),
            ("nothing at all", cameras(3, 3), Some(100_000), "..."),
            ("no line", cameras(2, 3), Some(0), ".."),
            (
                "the screen first",
                screen_and_two.clone(),
                Some(3_300_000),
                "hqq",
            ),
            (
                "a small screen",
                screen_and_two.clone(),
                Some(1_000_000),
                "qqq",
            ),
            (
                "what is dear goes, what is cheap stays",
                screen_and_two,
                Some(300_000),
                ".qq",
            ),
            ("many cameras", cameras(20, 2), None, &twenty),
            ("many small ones", cameras(40, 1), None, &forty),
            ("nobody", vec![], Some(1_000_000), ""),
            ("all there is", lively(cameras(1, 3)), Some(1_600_000), "f"),
            ("large, half", lively(cameras(1, 3)), Some(1_000_000), "f1"),
            ("middle", lively(cameras(1, 3)), Some(500_000), "h"),
            ("middle, half", lively(cameras(1, 3)), Some(300_000), "h1"),
            ("small", lively(cameras(1, 3)), Some(150_000), "q"),
            ("small, half", lively(cameras(1, 3)), Some(90_000), "q1"),
            (
                "rather than nothing",
                lively(cameras(1, 3)),
                Some(50_000),
                "q0",
            ),
            (
                "everybody the smallest, whole, before anybody more",
                lively(cameras(3, 3)),
                Some(430_000),
                "qqq",
            ),
            (
                "everybody something before anybody more",
                lively(cameras(3, 3)),
                Some(250_000),
                "q1q1q0",
            ),
            (
                "one large, one half",
                lively(cameras(3, 3)),
                Some(2_000_000),
                "fh1q",
            ),
            (
                "the least important goes last of all",
                lively(cameras(3, 3)),
                Some(100_000),
                "q0q0.",
            ),
        ];
        for (description, wishes, budget, expected) in table {
            let decision = Allocation::default().decide(Instant::now(), budget, &wishes);
            assert_eq!(written(&decision), expected, "{description}");
        }
    }

    #[test]
    fn order_of_wishes_is_not_their_rank() {
        let mut wishes = cameras(3, 3);
        for (wish, rank) in wishes.iter_mut().zip([2, 0, 1]) {
            wish.rank = rank;
        }
        let decision = Allocation::default().decide(Instant::now(), Some(2_200_000), &wishes);
        assert_eq!(written(&decision), "qfh");
        assert!(!decision.full);
        assert_eq!(decision.wanted_bps, 3 * 1_300_000 * 160 / 100);
    }

    /// Steps of so many milliseconds, the budget then, and what goes out.
    fn over_time(wishes: &[Wish], steps: &[(u64, u64, &str)]) {
        let mut now = Instant::now();
        let mut allocation = Allocation::default();
        for (row, (ms, budget, expected)) in steps.iter().enumerate() {
            let mut decision = allocation.decide(now, Some(*budget), wishes);
            for _ in 0..ms / 100 {
                now += Duration::from_millis(100);
                decision = allocation.decide(now, Some(*budget), wishes);
            }
            assert_eq!(written(&decision), *expected, "row {row}: {budget}");
        }
    }

    #[test]
    fn it_falls_at_once_and_climbs_into_room_that_lasts() {
        over_time(
            &cameras(2, 3),
            &[
                (0, 3_000_000, "fh"),
                (0, 1_300_000, "hq"),
                (0, 500_000, "qq"),
                (0, 200_000, "q."),
                (400, 400_000, "q."),
                (0, 200_000, "q."),
                (400, 400_000, "q."),
                (200, 400_000, "qq"),
                (30_000, 650_000, "qq"),
                // Far more than it takes is believed soon.
                (400, 6_000_000, "fq"),
                (200, 6_000_000, "ff"),
            ],
        );
    }

    #[test]
    fn a_picture_that_was_paused_comes_back_soon_but_not_over_and_over() {
        over_time(
            &cameras(2, 1),
            &[
                (0, 1_000_000, "qq"),
                (0, 200_000, "q."),
                (900, 300_000, "q."),
                (200, 300_000, "qq"),
                (30_000, 300_000, "qq"),
                (0, 200_000, "q."),
                (2_900, 300_000, "q."),
                (200, 300_000, "qq"),
                (30_000, 300_000, "qq"),
                (0, 200_000, "q."),
                (9_900, 300_000, "q."),
                (200, 300_000, "qq"),
                (60_000, 300_000, "qq"),
                (0, 200_000, "q."),
                (60_000, 270_000, "q."),
                (700, 300_000, "qq"),
            ],
        );
    }

    #[test]
    fn movement_that_was_lost_comes_back_like_a_picture_that_was_paused() {
        over_time(
            &lively(cameras(1, 2)),
            &[
                (0, 600_000, "h"),
                (0, 400_000, "h1"),
                (0, 100_000, "q1"),
                (0, 60_000, "q0"),
                (1_900, 160_000, "q0"),
                (200, 160_000, "q"),
                (30_000, 160_000, "q"),
                (0, 60_000, "q0"),
                (2_900, 160_000, "q0"),
                (200, 160_000, "q"),
                (30_000, 160_000, "q"),
                (0, 60_000, "q0"),
                (9_900, 160_000, "q0"),
                (200, 160_000, "q"),
                (60_000, 160_000, "q"),
                (0, 40_000, "."),
                (4_900, 70_000, "."),
                (200, 70_000, "q0"),
                (9_700, 150_000, "q0"),
                (400, 150_000, "q"),
            ],
        );
    }

    #[test]
    fn a_picture_that_fell_rests_a_minute_unless_there_is_ample_room() {
        over_time(
            &cameras(1, 2),
            &[
                (0, 600_000, "h"),
                (0, 400_000, "q"),
                (58_000, 600_000, "q"),
                (4_000, 600_000, "h"),
                (0, 400_000, "q"),
                (1_000, 900_000, "h"),
            ],
        );
    }

    #[test]
    fn whoever_becomes_important_takes_the_room_at_once() {
        let now = Instant::now();
        let mut allocation = Allocation::default();
        let mut wishes = cameras(3, 3);
        assert_eq!(
            written(&allocation.decide(now, Some(2_200_000), &wishes)),
            "fhq"
        );
        for (wish, rank) in wishes.iter_mut().zip([1, 2, 0]) {
            wish.rank = rank;
        }
        assert_eq!(
            written(&allocation.decide(now, Some(2_200_000), &wishes)),
            "hqf"
        );
        let newcomer = wish(9, 0, false, &SCREEN);
        wishes.iter_mut().for_each(|wish| wish.rank += 1);
        wishes.push(newcomer);
        let decision = allocation.decide(now, Some(1_100_000), &wishes);
        assert_eq!(written(&decision), "qqqq", "everybody something first");
        wishes.retain(|wish| wish.slot == 9);
        let decision = allocation.decide(now, Some(3_000_000), &wishes);
        assert_eq!(written(&decision), "q", "nobody wished more of it");
    }

    #[test]
    fn a_smaller_tile_needs_less_and_a_larger_one_does_not_wait() {
        let now = Instant::now();
        let mut allocation = Allocation::default();
        for (layers, expected) in [(3, "f"), (1, "q"), (2, "h"), (3, "f"), (2, "h")] {
            let decision = allocation.decide(now, Some(5_000_000), &cameras(1, layers));
            assert_eq!(written(&decision), expected);
        }
    }

    /// Some rates around the usual ones.
    fn wishes() -> impl Strategy<Value = Vec<Wish>> {
        let one = (0..4_u8, any::<bool>(), 1..4_usize, 50..150_u64);
        proptest::collection::vec(one, 0..12)
            .prop_map(|wishes| {
                let wish =
                    |(slot, (rank, camera, layers, percent)): (usize, (u8, bool, usize, u64))| {
                        let rates: Vec<u64> =
                            CAMERA.iter().map(|bps| bps * percent / 100).collect();
                        wish(slot, rank, camera, rates.get(..layers).unwrap())
                    };
                wishes.into_iter().enumerate().map(wish).collect::<Vec<_>>()
            })
            .prop_flat_map(|wishes| prop_oneof![Just(wishes.clone()), Just(lively(wishes))])
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, rng_seed: proptest::test_runner::RngSeed::Fixed(6), ..ProptestConfig::default() })]

        #[test]
        fn never_more_than_the_line_carries(
            rounds in proptest::collection::vec((wishes(), 0..6_000_000_u64, 0..5_000_u64), 1..12),
        ) {
            let mut now = Instant::now();
            let mut allocation = Allocation::default();
            for (wishes, budget, ms) in rounds {
                now += Duration::from_millis(ms);
                let decision = allocation.decide(now, Some(budget), &wishes);
                prop_assert!(spent(&wishes, &decision) <= budget);
                prop_assert_eq!(decision.steps.len(), wishes.len());
            }
        }

        #[test]
        fn nobody_waits_for_a_picture_that_is_less_important_and_as_dear(
            wishes in wishes(), budget in 0..6_000_000_u64,
        ) {
            let decision = Allocation::default().decide(Instant::now(), Some(budget), &wishes);
            for (more, of_more) in wishes.iter().zip(&decision.steps) {
                for (less, of_less) in wishes.iter().zip(&decision.steps) {
                    if more.rank < less.rank && more.options == less.options && more.camera == less.camera {
                        prop_assert!(level_of(more, *of_more) >= level_of(less, *of_less));
                    }
                }
            }
        }

        #[test]
        fn at_a_constant_line_a_picture_changes_at_most_twice_a_minute(
            count in 1..8_usize, is_lively in any::<bool>(), seed in any::<u64>(), budget in 300_000..1_200_000_u64,
        ) {
            let mut random = seed | 1;
            let mut noise = |percent: u64| {
                random ^= random << 13;
                random ^= random >> 7;
                random ^= random << 17;
                100 - percent + random % (2 * percent + 1)
            };
            let mut now = Instant::now();
            let mut allocation = Allocation::default();
            let mut changes: Vec<Vec<Instant>> = vec![vec![]; count];
            let mut before: Option<Decision> = None;
            for _ in 0..3_000 {
                now += Duration::from_millis(100);
                let mut wishes = match is_lively {
                    true => lively(cameras(count, 3)),
                    false => cameras(count, 3),
                };
                for wish in &mut wishes {
                    for choice in &mut wish.options {
                        choice.bps = choice.bps * noise(5) / 100;
                    }
                }
                let decision = allocation.decide(now, Some(budget * noise(10) / 100), &wishes);
                for (track, changes) in changes.iter_mut().enumerate() {
                    let step = |of: &Decision| of.steps.get(track).copied().flatten();
                    let was = before.as_ref().and_then(step);
                    if was.is_some() && step(&decision).is_some() && was != step(&decision) {
                        changes.push(now);
                    }
                }
                before = Some(decision);
            }
            for changes in &changes {
                for three in changes.windows(3) {
                    let [first, _, third] = three else { unreachable!() };
                    prop_assert!(*third - *first >= Duration::from_secs(60), "{:?}", changes.len());
                }
            }
        }
    }
}
