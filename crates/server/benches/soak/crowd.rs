//! The people of the house: so many in so many rooms, one of them comes or goes each second, and now and then one suffers a
//! fault. Owns the bots; what the faults are is in `faults`.

use std::fs;
use std::path::Path;
use std::time::Duration;

use bot::{Account, Bot, Identity, Load, Options, Phase, Publish};
use protocol::Source;
use tokio::time::{Instant, sleep};

use crate::faults::{self, Fault};
use crate::random::Random;
use crate::support::{House, PASSWORD};

const ROOMS: usize = 20;
/// Inside at a time. Few enough for a small machine that does other things too.
const PEOPLE: usize = 50;
const MOST_IN_ROOM: usize = 6;
/// An account has so many places in a room, and so many sockets.
const ACCOUNTS: usize = 10;
/// It is about lives and not about bandwidth.
const CAMERA: Load = Load {
    frames_per_second: 2,
    packets_per_frame: 2,
    payload_bytes: 300,
};
/// One in so many has a voice.
const VOICES: usize = 5;
/// One in so many is in a network that lets no UDP through.
const OVER_TCP: usize = 4;
/// Until everybody who was hit is back: the server notices within 35 s that nobody reads, and a bot tries again every 2 s.
const RECOVERY: Duration = Duration::from_secs(60);

pub struct Crowd<'a> {
    pub house: &'a House,
    pub random: &'a mut Random,
    pub media_port: u16,
    accounts: Vec<Account>,
    rooms: Vec<Vec<Bot>>,
    /// Out of the churn until then, with the room that they belong to.
    resting: Vec<(Instant, usize, Bot)>,
    joined: usize,
    faults: Vec<Fault>,
    counts: Counts,
}

/// What happened.
#[derive(Default)]
pub struct Counts {
    joins: u64,
    failed_joins: u64,
    leaves: u64,
    failed_leaves: u64,
    faults: Vec<(&'static str, u64)>,
    /// Who was not inside with media a minute after the last fault.
    lost: u64,
    /// Of all bots: deltas that did not follow, or named what is not there.
    sequence_gaps: u64,
    contradictions: u64,
}

impl Counts {
    pub fn write(&self, path: &Path) {
        let mut text = String::new();
        let mut line = |name: &str, count: u64| text.push_str(&format!("{name}\t{count}\n"));
        line("joins", self.joins);
        line("failed_joins", self.failed_joins);
        line("leaves", self.leaves);
        line("failed_leaves", self.failed_leaves);
        line("lost", self.lost);
        line("sequence_gaps", self.sequence_gaps);
        line("contradictions", self.contradictions);
        for (name, count) in &self.faults {
            line(&format!("fault: {name}"), *count);
        }
        fs::write(path, text).expect("a file for counts");
    }
}

/// The names of the accounts.
pub fn names() -> impl Iterator<Item = String> {
    (0..ACCOUNTS).map(|number| format!("p{number}"))
}

/// Once in the life of a house.
pub fn add_accounts(house: &House) {
    names().for_each(|name| house.add_user(&name));
}

impl<'a> Crowd<'a> {
    /// All rooms full.
    pub async fn gather(house: &'a House, media_port: u16, random: &'a mut Random) -> Self {
        let address = bot::House::new(&house.base).expect("an address");
        let mut accounts = vec![];
        for name in names() {
            let account = address.sign_in(&name, PASSWORD).await;
            accounts.push(account.expect("an account signs in"));
        }
        let mut crowd = Self {
            house,
            random,
            media_port,
            accounts,
            rooms: (0..ROOMS).map(|_| vec![]).collect(),
            resting: vec![],
            joined: 0,
            faults: vec![],
            counts: Counts::default(),
        };
        for number in 0..PEOPLE {
            crowd.join(number % ROOMS).await;
        }
        crowd
    }

    pub fn people(&self) -> usize {
        self.rooms.iter().map(Vec::len).sum::<usize>() + self.resting.len()
    }

    /// One person comes, or one goes.
    pub async fn churn(&mut self) {
        self.wake_rested();
        let crowded = |room: &Vec<Bot>| room.len() >= MOST_IN_ROOM;
        let room = self.random.below(ROOMS);
        if self.people() < PEOPLE && !crowded(&self.rooms[room]) {
            self.join(room).await;
        } else if let Some(bot) = self.take_anybody() {
            self.note_end(&bot);
            let left = bot.leave().await.is_ok();
            self.counts.leaves += 1;
            self.counts.failed_leaves += u64::from(!left);
        }
    }

    async fn join(&mut self, room: usize) {
        self.joined += 1;
        let account = self.accounts[self.joined % ACCOUNTS].clone();
        let mut options =
            Options::new(&format!("Raum {room}"), Identity::nth(self.joined % 30 + 1));
        options.publish.clear();
        options.publish.push(Publish {
            source: Source::Camera,
            muted: false,
        });
        if self.joined.is_multiple_of(VOICES) {
            options.publish.push(Publish {
                source: Source::Microphone,
                muted: false,
            });
        }
        (options.person_slots, options.screen_slots) = (3, 1);
        options.load = Some(CAMERA);
        options.over_tcp = self.joined.is_multiple_of(OVER_TCP);
        self.counts.joins += 1;
        match Bot::join(account, options).await {
            Ok(bot) => self.rooms[room].push(bot),
            Err(error) => {
                println!("a bot does not get in: {error:#}");
                self.counts.failed_joins += 1;
            }
        }
    }

    /// The next fault of a round in which each comes once.
    pub async fn suffer(&mut self) {
        if self.faults.is_empty() {
            self.faults = Fault::ALL.to_vec();
        }
        let at = self.random.below(self.faults.len());
        let fault = self.faults.swap_remove(at);
        faults::inflict(fault, self).await;
        let name = fault.name();
        println!("fault: {name}");
        match self
            .counts
            .faults
            .iter_mut()
            .find(|(known, _)| *known == name)
        {
            Some((_, count)) => *count += 1,
            None => self.counts.faults.push((name, 1)),
        }
    }

    pub fn report(&self) {
        let bots = self.rooms.iter().flatten();
        let well = bots.filter(|bot| is_well(bot)).count();
        println!("{well} of {} are inside with media", self.people());
    }

    /// Somebody of any room, taken out of it.
    pub fn take_anybody(&mut self) -> Option<Bot> {
        let room = self.anybody()?;
        let at = self.random.below(self.rooms[room].len());
        Some(self.rooms[room].swap_remove(at))
    }

    /// Somebody who stays where they are.
    pub fn some_bot(&mut self) -> Option<&Bot> {
        let room = self.anybody()?;
        let at = self.random.below(self.rooms[room].len());
        self.rooms[room].get(at)
    }

    fn anybody(&mut self) -> Option<usize> {
        let filled: Vec<usize> = (0..ROOMS)
            .filter(|room| !self.rooms[*room].is_empty())
            .collect();
        let at = self.random.below(filled.len());
        filled.get(at).copied()
    }

    /// Somebody does nothing at all for so long.
    pub async fn freeze_somebody(&mut self, time: Duration) {
        let Some(room) = self.anybody() else { return };
        let at = self.random.below(self.rooms[room].len());
        let bot = self.rooms[room].swap_remove(at);
        if bot.freeze(time).await.is_ok() {
            self.resting.push((Instant::now() + time, room, bot));
        }
    }

    /// Crashes are not counted as ends, but what the bot saw until then is.
    pub fn note_end(&mut self, bot: &Bot) {
        let state = bot.state();
        self.counts.sequence_gaps += u64::from(state.sequence_gaps);
        self.counts.contradictions += u64::from(state.contradictions);
    }

    fn wake_rested(&mut self) {
        let now = Instant::now();
        let (over, resting) = std::mem::take(&mut self.resting)
            .into_iter()
            .partition(|(until, ..)| *until <= now);
        self.resting = resting;
        let over: Vec<(Instant, usize, Bot)> = over;
        for (_, room, bot) in over {
            self.rooms[room].push(bot);
        }
    }

    /// Waits until everybody is well again; who is not after a while counts as lost.
    pub async fn recover(&mut self) {
        let until = Instant::now() + RECOVERY;
        loop {
            self.wake_rested();
            let bots = self.rooms.iter().flatten();
            let ill: Vec<&Bot> = bots.filter(|bot| !is_well(bot)).collect();
            if ill.is_empty() && self.resting.is_empty() {
                return;
            }
            if Instant::now() >= until {
                for bot in &ill {
                    println!("lost: {:?}", bot.state().phase);
                }
                self.counts.lost = ill.len() as u64;
                return;
            }
            sleep(Duration::from_millis(200)).await;
        }
    }

    pub async fn leave(mut self) -> Counts {
        let rested = std::mem::take(&mut self.resting).into_iter();
        let everybody = rested.map(|(_, _, bot)| bot);
        let rooms: Vec<Bot> = self.rooms.iter_mut().flat_map(std::mem::take).collect();
        for bot in everybody.chain(rooms) {
            self.note_end(&bot);
            let left = bot.leave().await.is_ok();
            self.counts.leaves += 1;
            self.counts.failed_leaves += u64::from(!left);
        }
        self.counts
    }
}

fn is_well(bot: &Bot) -> bool {
    let state = bot.state();
    state.phase == Phase::Inside && state.media
}
