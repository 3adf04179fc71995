use super::*;
use proptest::prelude::*;

const FAILURES: [Failure; 5] = [
    Failure::Missed,
    Failure::Cancelled,
    Failure::Shortfall,
    Failure::Supplier,
    Failure::StopLoss,
];

/// Everything that can happen to a batch.
fn events() -> Vec<BatchEvent> {
    let mut all = vec![
        BatchEvent::Succeeded,
        BatchEvent::Ordered,
        BatchEvent::Arrived,
        BatchEvent::Completed,
    ];
    all.extend(FAILURES.map(BatchEvent::Failed));
    all
}

fn of(batches: &[BatchState]) -> CampaignState {
    CampaignState::of_batches(batches.iter().copied())
}

fn place(state: CampaignState) -> usize {
    CampaignState::ALL.iter().position(|s| *s == state).unwrap()
}

#[test]
fn a_campaign_with_one_batch_lives_as_that_batch_does() {
    let mut batch = BatchState::Gathering;
    let mut campaign = CampaignState::Draft.after(CampaignEvent::Opened).unwrap();
    for (event, then) in [
        (BatchEvent::Succeeded, CampaignState::Collecting),
        (BatchEvent::Ordered, CampaignState::Ordered),
        (BatchEvent::Arrived, CampaignState::Fulfilling),
        (BatchEvent::Completed, CampaignState::Completed),
    ] {
        batch = batch.after(event).unwrap();
        campaign = campaign
            .after(CampaignEvent::Followed(of(&[batch])))
            .unwrap();
        assert_eq!(campaign, then);
        assert_eq!(campaign.as_str(), batch.as_str());
    }
}

#[test]
fn a_campaign_may_ask_first_and_asks_once() {
    let asking = CampaignState::Draft.after(CampaignEvent::Asked).unwrap();
    assert_eq!(asking, CampaignState::Interest);
    for (event, state) in [
        (CampaignEvent::Opened, CampaignState::Open),
        (CampaignEvent::Scheduled, CampaignState::Scheduled),
        (CampaignEvent::CalledOff, CampaignState::Failed),
    ] {
        assert_eq!(asking.after(event).unwrap(), state);
        assert!(state.after(CampaignEvent::Asked).is_err());
    }
    let judged = CampaignEvent::Followed(CampaignState::Collecting);
    assert!(asking.after(judged).is_err());
}

#[test]
fn what_failed_or_is_completed_stays_so() {
    for event in events() {
        assert!(BatchState::Failed.after(event).is_err());
        assert!(BatchState::Completed.after(event).is_err());
    }
    for state in CampaignState::ALL {
        let event = CampaignEvent::Followed(*state);
        assert!(CampaignState::Failed.after(event).is_err());
        assert!(CampaignState::Completed.after(event).is_err());
    }
}

#[test]
fn a_threshold_is_missed_only_while_a_batch_gathers() {
    let missed = BatchEvent::Failed(Failure::Missed);
    for state in BatchState::ALL {
        assert_eq!(state.after(missed).is_ok(), *state == BatchState::Gathering);
    }
}

#[test]
fn a_campaign_shows_its_least_advanced_batch_that_did_not_fail() {
    use BatchState as B;
    use CampaignState as C;
    for (batches, shown) in [
        (vec![B::Ordered, B::Gathering], C::Open),
        (vec![B::Failed, B::Gathering], C::Open),
        (vec![B::Ordered, B::Collecting], C::Collecting),
        (vec![B::Fulfilling, B::Ordered], C::Ordered),
        (vec![B::Completed, B::Fulfilling], C::Fulfilling),
        (vec![B::Completed, B::Failed], C::Completed),
        (vec![B::Failed, B::Ordered, B::Failed], C::Ordered),
        (vec![B::Failed, B::Failed], C::Failed),
    ] {
        assert_eq!(of(&batches), shown, "{batches:?}");
    }
}

fn any_batch() -> impl Strategy<Value = BatchState> {
    proptest::sample::select(BatchState::ALL)
}

proptest! {
    #[test]
    fn it_takes_orders_exactly_while_a_batch_gathers(
        batches in proptest::collection::vec(any_batch(), 1..6)
    ) {
        let gathers = batches.contains(&BatchState::Gathering);
        prop_assert_eq!(of(&batches) == CampaignState::Open, gathers);
    }

    #[test]
    fn it_failed_exactly_if_all_its_batches_did(
        batches in proptest::collection::vec(any_batch(), 1..6)
    ) {
        let all = batches.iter().all(|batch| *batch == BatchState::Failed);
        prop_assert_eq!(of(&batches) == CampaignState::Failed, all);
    }

    #[test]
    fn a_failed_batch_and_the_order_of_the_batches_change_nothing_for_the_others(
        mut batches in proptest::collection::vec(any_batch(), 1..6)
    ) {
        let shown = of(&batches);
        batches.reverse();
        prop_assert_eq!(of(&batches), shown);
        batches.push(BatchState::Failed);
        prop_assert_eq!(of(&batches), shown);
    }

    /// Whatever happens to the batches, and whenever a next one begins while one gathers, a campaign never goes back, and
    /// may always follow.
    #[test]
    fn a_campaign_never_goes_back(
        acts in proptest::collection::vec((any::<usize>(), any::<usize>()), 1..60)
    ) {
        let events = events();
        let mut batches = vec![BatchState::Gathering];
        let mut campaign = CampaignState::Open;
        for (which, what) in acts {
            let at = which % batches.len();
            let Ok(after) = batches[at].after(events[what % events.len()]) else { continue };
            // With the trigger the next batch begins in the moment that the one before is judged.
            if batches[at] == BatchState::Gathering && after == BatchState::Collecting && which % 3 > 0 {
                batches.push(BatchState::Gathering);
            }
            batches[at] = after;
            let to = of(&batches);
            if to != campaign {
                prop_assert!(place(to) > place(campaign), "{campaign} to {to}: {batches:?}");
                campaign = campaign.after(CampaignEvent::Followed(to)).unwrap();
            }
        }
    }
}
