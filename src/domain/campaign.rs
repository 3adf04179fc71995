//! The life of a campaign and of its batches (domain section 2).

use super::words::{WrongState, words};

words! {
    /// Where a campaign stands (domain section 2).
    CampaignState {
        Draft = "draft",
        Interest = "interest",
        Scheduled = "scheduled",
        Open = "open",
        Collecting = "collecting",
        Ordered = "ordered",
        Fulfilling = "fulfilling",
        Completed = "completed",
        Failed = "failed",
    }
}

words! {
    /// Why a campaign failed.
    Failure {
        Missed = "missed",
        Cancelled = "cancelled",
        Shortfall = "shortfall",
        Supplier = "supplier",
        StopLoss = "stop-loss",
    }
}

words! {
    /// Where a batch stands (domain section 2, trigger).
    BatchState {
        Gathering = "gathering",
        Collecting = "collecting",
        Ordered = "ordered",
        Fulfilling = "fulfilling",
        Completed = "completed",
        Failed = "failed",
    }
}

/// What can happen to a campaign as a whole. From its opening on, its state follows from its batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CampaignEvent {
    /// Staff published it to ask who would buy; nothing is sold.
    Asked,
    /// Staff published it; it opens later.
    Scheduled,
    /// It takes orders from now on.
    Opened,
    /// Staff gave it up before it took an order.
    CalledOff,
    /// A batch of it moved, or began to gather: this is what all of them come to ([`CampaignState::of_batches`]).
    Followed(CampaignState),
}

/// What can happen to a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchEvent {
    /// It was judged and goes ahead.
    Succeeded,
    /// Its purchase order was sent.
    Ordered,
    /// Its first goods arrived.
    Arrived,
    /// Every order of it was shipped and arrived, or has its money back.
    Completed,
    /// It ends with everybody's money going back.
    Failed(Failure),
}

impl BatchState {
    /// The state after an event.
    ///
    /// # Errors
    /// [`WrongState`] where the event does not apply, which names both.
    pub fn after(self, event: BatchEvent) -> Result<BatchState, WrongState> {
        use BatchEvent as E;
        use BatchState as S;
        match (self, event) {
            (S::Gathering, E::Succeeded) => Ok(S::Collecting),
            (S::Collecting, E::Ordered) => Ok(S::Ordered),
            (S::Ordered, E::Arrived) => Ok(S::Fulfilling),
            (S::Ordered | S::Fulfilling, E::Completed) => Ok(S::Completed),
            (S::Gathering, E::Failed(Failure::Missed)) => Ok(S::Failed),
            (S::Collecting, E::Failed(Failure::Shortfall | Failure::Supplier)) => Ok(S::Failed),
            (
                S::Gathering | S::Collecting | S::Ordered | S::Fulfilling,
                E::Failed(Failure::Cancelled),
            ) => Ok(S::Failed),
            (S::Ordered | S::Fulfilling, E::Failed(Failure::StopLoss)) => Ok(S::Failed),
            (
                S::Gathering
                | S::Collecting
                | S::Ordered
                | S::Fulfilling
                | S::Completed
                | S::Failed,
                E::Succeeded | E::Ordered | E::Arrived | E::Completed | E::Failed(_),
            ) => Err(WrongState {
                what: "batch",
                state: self.as_str(),
                event: format!("{event:?}"),
            }),
        }
    }
}

impl CampaignState {
    /// The state after an event.
    ///
    /// # Errors
    /// [`WrongState`] where the event does not apply, which names both.
    pub fn after(self, event: CampaignEvent) -> Result<CampaignState, WrongState> {
        use CampaignEvent as E;
        use CampaignState as S;
        match (self, event) {
            (S::Draft, E::Asked) => Ok(S::Interest),
            (S::Draft | S::Interest, E::Scheduled) => Ok(S::Scheduled),
            (S::Draft | S::Interest | S::Scheduled, E::Opened) => Ok(S::Open),
            (S::Interest | S::Scheduled, E::CalledOff) => Ok(S::Failed),
            (S::Open | S::Collecting | S::Ordered | S::Fulfilling, E::Followed(to))
                if self.may_follow(to) =>
            {
                Ok(to)
            }
            (
                S::Draft
                | S::Interest
                | S::Scheduled
                | S::Open
                | S::Collecting
                | S::Ordered
                | S::Fulfilling
                | S::Completed
                | S::Failed,
                E::Asked | E::Scheduled | E::Opened | E::CalledOff | E::Followed(_),
            ) => Err(WrongState {
                what: "campaign",
                state: self.as_str(),
                event: format!("{event:?}"),
            }),
        }
    }

    /// Whether its batches can bring a campaign from here to there: they never go back.
    fn may_follow(self, to: CampaignState) -> bool {
        let place = |state| CampaignState::ALL.iter().position(|s| *s == state);
        place(to) > place(self)
    }

    /// What a campaign's batches come to (domain section 2, trigger): `open` while one of them gathers, which is while
    /// the campaign takes orders or waits for the last payments; then its least advanced batch that did not fail; failed
    /// only where all of them did. A batch that nobody was in fails like one that was missed, and so decides nothing where
    /// another goes on.
    pub fn of_batches(batches: impl IntoIterator<Item = BatchState>) -> CampaignState {
        batches
            .into_iter()
            .map(|batch| match batch {
                BatchState::Gathering => CampaignState::Open,
                BatchState::Collecting => CampaignState::Collecting,
                BatchState::Ordered => CampaignState::Ordered,
                BatchState::Fulfilling => CampaignState::Fulfilling,
                BatchState::Completed => CampaignState::Completed,
                BatchState::Failed => CampaignState::Failed,
            })
            .min_by_key(|state| CampaignState::ALL.iter().position(|s| s == state))
            .unwrap_or(CampaignState::Failed)
    }

    /// Whether the public sees the campaign.
    pub fn is_public(self) -> bool {
        !matches!(self, CampaignState::Draft)
    }
}

#[cfg(test)]
#[path = "tests/campaign.rs"]
mod tests;
