//! The rule once more, slow and plain: no running state, each question answered from all that happened, day by day.
//! Days are numbers; D is nought.

use super::*;

/// An offer the shopper got in time.
#[derive(Debug, Clone)]
pub struct Offer {
    /// Its place among all notices.
    pub notice: usize,
    pub date: Option<i64>,
    pub stop_loss: Option<i64>,
    pub replaces: i64,
    pub waited: bool,
}

#[derive(Debug)]
pub struct Reference {
    pub policy: DelayPolicy,
    pub first_stop_loss: i64,
    pub offers: Vec<Offer>,
}

impl Reference {
    pub fn stop_loss(&self) -> i64 {
        let agreed = self.offers.iter().filter(|o| o.waited);
        let moved = agreed.filter_map(|o| o.stop_loss).max();
        moved.unwrap_or(0).max(self.first_stop_loss)
    }

    pub fn agreed_to_not_known(&self) -> bool {
        self.offers.iter().any(|o| o.waited && o.date.is_none())
    }

    /// Every date the shopper agreed to: in words, or by silence on the first notice.
    fn agreed_dates(&self) -> Vec<i64> {
        let spoken = self.offers.iter().filter(|o| o.waited);
        let mut dates: Vec<i64> = spoken.filter_map(|o| o.date).collect();
        if let Some(first) = self.offers.first()
            && self.silence_agrees(first.date)
        {
            dates.extend(first.date);
        }
        dates
    }

    fn silence_agrees(&self, date: Option<i64>) -> bool {
        self.policy == FTC && date.is_some_and(|x| x <= 30 && x <= self.first_stop_loss)
    }

    pub fn due(&self) -> i64 {
        self.agreed_dates().into_iter().max().unwrap_or(0)
    }

    /// Whether an order that is unshipped at the end of this day goes on waiting.
    fn goes_on_after(&self, day: i64) -> bool {
        if day >= self.stop_loss() {
            return false;
        }
        if self.agreed_to_not_known() || day < self.due() {
            return true;
        }
        let nothing_agreed = self.agreed_dates().is_empty();
        let asked = !self.offers.is_empty();
        self.policy == FTC && nothing_agreed && asked && day < 30
    }

    /// Never before D: neither a date nor a stop-loss is.
    pub fn last_day(&self) -> i64 {
        (0..).find(|day| !self.goes_on_after(*day)).unwrap()
    }

    /// Whether the date in force has its notice.
    pub fn is_covered(&self) -> bool {
        let due = self.due();
        self.offers.iter().any(|o| !o.waited && o.replaces >= due)
    }

    /// The table: kind of the next offer, and what silence does to it.
    pub fn table(&self, date: Option<i64>) -> (NoticeKind, Silence, i64) {
        use {NoticeKind as K, Silence as S};
        match (self.offers.is_empty(), self.policy, date) {
            (true, _, Some(x)) if self.silence_agrees(date) => (K::First, S::Agrees, x),
            (true, FTC, _) => (K::First, S::Cancels, 30.min(self.stop_loss())),
            (true, ASK, _) => (K::First, S::Cancels, 0),
            (false, _, _) => (K::Renewed, S::Cancels, self.last_day()),
        }
    }
}
