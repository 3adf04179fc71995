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

/// What can happen to a campaign as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CampaignEvent {
    /// Staff published it to ask who would buy; nothing is sold.
    Asked,
    /// Staff published it; it opens later.
    Scheduled,
    /// It takes orders from now on.
    Opened,
    /// It was judged and goes ahead.
    Succeeded,
    /// The purchase order was sent.
    Ordered,
    /// The first goods arrived, or the first parcel went out.
    Arrived,
    /// Every order of it was shipped and arrived, or has its money back.
    Completed,
    /// It ends with everybody's money going back.
    Failed(Failure),
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
            (S::Open, E::Succeeded) => Ok(S::Collecting),
            (S::Collecting, E::Ordered) => Ok(S::Ordered),
            (S::Ordered, E::Arrived) => Ok(S::Fulfilling),
            (S::Ordered | S::Fulfilling, E::Completed) => Ok(S::Completed),
            (S::Open, E::Failed(Failure::Missed)) => Ok(S::Failed),
            (S::Collecting, E::Failed(Failure::Shortfall | Failure::Supplier)) => Ok(S::Failed),
            (
                S::Interest | S::Scheduled | S::Open | S::Collecting | S::Ordered | S::Fulfilling,
                E::Failed(Failure::Cancelled),
            ) => Ok(S::Failed),
            (S::Ordered | S::Fulfilling, E::Failed(Failure::StopLoss)) => Ok(S::Failed),
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
                _,
            ) => Err(WrongState {
                what: "campaign",
                state: self.as_str(),
                event: format!("{event:?}"),
            }),
        }
    }

    /// Whether the public sees the campaign.
    pub fn is_public(self) -> bool {
        !matches!(self, CampaignState::Draft)
    }

    /// The batch's word for the same moment of a campaign with one batch.
    pub fn batch(self) -> BatchState {
        match self {
            CampaignState::Draft
            | CampaignState::Interest
            | CampaignState::Scheduled
            | CampaignState::Open => BatchState::Gathering,
            CampaignState::Collecting => BatchState::Collecting,
            CampaignState::Ordered => BatchState::Ordered,
            CampaignState::Fulfilling => BatchState::Fulfilling,
            CampaignState::Completed => BatchState::Completed,
            CampaignState::Failed => BatchState::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_campaign_lives_from_draft_to_the_suppliers_order() {
        let mut state = CampaignState::Draft;
        for event in [
            CampaignEvent::Opened,
            CampaignEvent::Succeeded,
            CampaignEvent::Ordered,
        ] {
            state = state.after(event).unwrap();
        }
        assert_eq!(state, CampaignState::Ordered);
    }

    #[test]
    fn a_campaign_may_ask_first_and_asks_once() {
        let asking = CampaignState::Draft.after(CampaignEvent::Asked).unwrap();
        assert_eq!(asking, CampaignState::Interest);
        for (event, state) in [
            (CampaignEvent::Opened, CampaignState::Open),
            (CampaignEvent::Scheduled, CampaignState::Scheduled),
            (
                CampaignEvent::Failed(Failure::Cancelled),
                CampaignState::Failed,
            ),
        ] {
            assert_eq!(asking.after(event).unwrap(), state);
            assert!(state.after(CampaignEvent::Asked).is_err());
        }
        assert!(asking.after(CampaignEvent::Succeeded).is_err());
    }

    #[test]
    fn a_failed_campaign_stays_failed() {
        for event in [
            CampaignEvent::Opened,
            CampaignEvent::Succeeded,
            CampaignEvent::Ordered,
            CampaignEvent::Failed(Failure::Cancelled),
        ] {
            assert!(CampaignState::Failed.after(event).is_err());
        }
    }

    #[test]
    fn a_threshold_is_missed_only_while_orders_are_taken() {
        let missed = CampaignEvent::Failed(Failure::Missed);
        for state in CampaignState::ALL {
            assert_eq!(state.after(missed).is_ok(), *state == CampaignState::Open);
        }
    }
}
