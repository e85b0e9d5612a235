//! Which of the newest numbers of a stream have been used: nothing is sealed twice under one number, and nothing that
//! was opened once is opened again.

/// Numbers behind the newest that are remembered. Older ones count as used.
const WORDS: usize = 16;
const REACH: u64 = WORDS as u64 * 64;

#[derive(Clone, Debug, Default)]
pub(crate) struct Window {
    newest: Option<u64>,
    /// Bit `number % REACH`.
    used: [u64; WORDS],
}

impl Window {
    pub fn newest(&self) -> Option<u64> {
        self.newest
    }

    pub fn would_accept(&self, number: u64) -> bool {
        match self.newest {
            Some(newest) if number <= newest => newest - number < REACH && !self.is_used(number),
            _ => true,
        }
    }

    /// Uses the number. False if it was used before or is too old to tell.
    pub fn accept(&mut self, number: u64) -> bool {
        if !self.would_accept(number) {
            return false;
        }
        let newest = self.newest.unwrap_or(number);
        if number > newest {
            if number - newest >= REACH {
                self.used = [0; WORDS];
            } else {
                (newest + 1..number).for_each(|skipped| self.set(skipped, false));
            }
        }
        self.newest = Some(newest.max(number));
        self.set(number, true);
        true
    }

    fn is_used(&self, number: u64) -> bool {
        let (word, bit) = place(number);
        self.used.get(word).is_some_and(|word| word & bit != 0)
    }

    fn set(&mut self, number: u64, used: bool) {
        let (word, bit) = place(number);
        if let Some(word) = self.used.get_mut(word) {
            if used { *word |= bit } else { *word &= !bit }
        }
    }
}

fn place(number: u64) -> (usize, u64) {
    let place = number % REACH;
    ((place / 64) as usize, 1 << (place % 64))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::tests::network::Random;

    #[test]
    fn every_number_is_accepted_once() {
        let mut random = Random(11);
        for spread in [3, 100, 900, 5_000] {
            let (mut window, mut used, mut newest) = (Window::default(), BTreeSet::new(), 0);
            for step in 0..20_000u64 {
                let number = (step + random.below(spread)).saturating_sub(random.below(spread));
                let expected =
                    !used.contains(&number) && (used.is_empty() || number + REACH > newest);
                assert_eq!(window.accept(number), expected, "{number} after {newest}");
                if expected {
                    used.insert(number);
                    newest = newest.max(number);
                }
            }
        }
    }
}
