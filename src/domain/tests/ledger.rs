use super::*;
use proptest::prelude::*;

fn usd(amount: i64) -> Money {
    Money::new(amount, Currency::USD)
}

fn sides(entry: &Entry) -> Vec<(&'static str, i64)> {
    entry
        .postings()
        .iter()
        .map(|p| (p.account.as_str(), p.amount))
        .collect()
}

#[test]
fn a_payment_is_a_deposit_of_the_shopper_until_goods_are_handed_over() {
    let order = OrderId::new();
    let entry = Entry::payment_captured(order, usd(200)).unwrap();
    assert_eq!(
        sides(&entry),
        [("provider_clearing", 200), ("customer_deposits", -200)]
    );
    assert!(
        entry
            .postings()
            .iter()
            .all(|posting| posting.order == Some(order))
    );
}

#[test]
fn a_refund_goes_from_promised_to_done() {
    let order = OrderId::new();
    let committed = Entry::refund_committed(order, usd(20)).unwrap();
    let done = Entry::refund_done(order, usd(20)).unwrap();
    assert_eq!(
        sides(&committed),
        [("customer_deposits", 20), ("refunds_due", -20)]
    );
    assert_eq!(
        sides(&done),
        [("refunds_due", 20), ("provider_clearing", -20)]
    );
}

#[test]
fn a_refund_that_fails_later_is_due_again_and_may_be_paid_otherwise() {
    let order = OrderId::new();
    let entries = [
        Entry::payment_captured(order, usd(200)).unwrap(),
        Entry::refund_committed(order, usd(200)).unwrap(),
        Entry::refund_done(order, usd(200)).unwrap(),
        Entry::refund_undone(order, usd(200)).unwrap(),
    ];
    let books = OrderBooks::of(&entries).unwrap();
    assert_eq!((books.refunded, books.due_back), (0, 200));
    let otherwise = Entry::refund_paid_otherwise(order, usd(200)).unwrap();
    assert_eq!(sides(&otherwise), [("refunds_due", 200), ("bank", -200)]);
    let books = OrderBooks::of(entries.iter().chain([&otherwise])).unwrap();
    assert_eq!((books.refunded, books.due_back, books.kept()), (200, 0, 0));
}

#[test]
fn a_lost_dispute_closes_the_deposit_and_the_held_refund_is_dropped() {
    let order = OrderId::new();
    let entries = [
        Entry::payment_captured(order, usd(200)).unwrap(),
        Entry::dispute_opened(order, usd(200)).unwrap(),
        Entry::refund_committed(order, usd(200)).unwrap(),
        Entry::refund_dropped(order, usd(200)).unwrap(),
        Entry::dispute_lost(order, usd(200), 200).unwrap(),
    ];
    let books = OrderBooks::of(&entries).unwrap();
    assert_eq!(
        (books.lost_in_disputes, books.due_back, books.kept()),
        (200, 0, 0)
    );
    let open: Vec<_> = balances(&entries)
        .unwrap()
        .into_iter()
        .filter(|b| b.1 != 0)
        .collect();
    assert_eq!(open, [], "nothing is owed and nothing is left anywhere");
}

#[test]
fn a_dispute_lost_after_the_goods_left_is_a_loss() {
    let entry = Entry::dispute_lost(OrderId::new(), usd(200), 0).unwrap();
    assert_eq!(
        sides(&entry),
        [("dispute_losses", 200), ("disputes_held", -200)]
    );
    let beyond = Entry::dispute_lost(OrderId::new(), usd(200), 201);
    assert_eq!(beyond, Err(LedgerError::BeyondLoss));
}

#[test]
fn a_won_dispute_brings_the_money_back_and_the_refund_goes_out() {
    let order = OrderId::new();
    let entries = [
        Entry::payment_captured(order, usd(200)).unwrap(),
        Entry::dispute_opened(order, usd(200)).unwrap(),
        Entry::refund_committed(order, usd(200)).unwrap(),
        Entry::dispute_won(order, usd(200)).unwrap(),
        Entry::refund_done(order, usd(200)).unwrap(),
    ];
    assert!(balances(&entries).unwrap().values().all(|sum| *sum == 0));
}

#[test]
fn money_becomes_available_and_is_paid_out() {
    let settled = Entry::settled(usd(200)).unwrap();
    let payout = Entry::payout(usd(190)).unwrap();
    let fee = Entry::fee(None, usd(10)).unwrap();
    assert_eq!(
        sides(&settled),
        [("provider_balance", 200), ("provider_clearing", -200)]
    );
    assert_eq!(sides(&payout), [("bank", 190), ("provider_balance", -190)]);
    assert_eq!(
        sides(&fee),
        [("provider_fees", 10), ("provider_clearing", -10)]
    );
}

#[test]
fn nought_and_less_are_never_booked() {
    let order = OrderId::new();
    for amount in [0, -1, i64::MIN] {
        let refused = Err(LedgerError::NotPositive(amount));
        assert_eq!(Entry::payment_captured(order, usd(amount)), refused);
        assert_eq!(Entry::payout(usd(amount)), refused);
    }
}

#[test]
fn an_entry_read_back_must_balance() {
    let posting = |account, amount| Posting {
        account,
        amount,
        order: None,
    };
    let read = |postings| Entry::from_postings(EntryKind::Payout, Currency::USD, postings);
    let refused = Err(LedgerError::Unbalanced(EntryKind::Payout));
    assert!(
        read(vec![
            posting(Account::Bank, 5),
            posting(Account::ProviderBalance, -5)
        ])
        .is_ok()
    );
    assert_eq!(
        read(vec![posting(Account::Bank, 5), posting(Account::Bank, -4)]),
        refused
    );
    assert_eq!(read(vec![posting(Account::Bank, 0)]), refused);
    assert_eq!(read(vec![]), refused);
}

#[test]
fn every_account_and_kind_has_its_own_word() {
    assert_eq!(Account::ALL.len(), 15);
    for account in Account::ALL {
        assert_eq!(account.as_str().parse(), Ok(*account));
        assert_eq!(serde_json::to_value(account).unwrap(), account.as_str());
    }
    for kind in EntryKind::ALL {
        assert_eq!(kind.as_str().parse(), Ok(*kind));
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
    }
    assert!("petty_cash".parse::<Account>().is_err());
}

#[test]
fn an_orders_books_are_in_one_currency() {
    let order = OrderId::new();
    let entries = [
        Entry::payment_captured(order, usd(1)).unwrap(),
        Entry::payment_captured(order, Money::new(1, Currency::EUR)).unwrap(),
    ];
    assert_eq!(OrderBooks::of(&entries), Err(LedgerError::CurrencyMismatch));
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Commit(i64),
    Done,
    Undone,
    Otherwise,
    Drop,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (1i64..500).prop_map(Step::Commit),
        Just(Step::Done),
        Just(Step::Undone),
        Just(Step::Otherwise),
        Just(Step::Drop),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_to_refunds_the_books_agree_with_themselves(
        captured in 1i64..10_000,
        steps in prop::collection::vec(step(), 0..40),
    ) {
        let order = OrderId::new();
        let mut entries = vec![Entry::payment_captured(order, usd(captured)).unwrap()];
        let (mut due, mut done, mut otherwise) = (0i64, 0i64, 0i64);
        for step in steps {
            let entry = match step {
                Step::Commit(n) if due + done + otherwise + n <= captured => {
                    due += n;
                    Entry::refund_committed(order, usd(n))
                }
                Step::Done if due > 0 => {
                    let n = std::mem::take(&mut due);
                    done += n;
                    Entry::refund_done(order, usd(n))
                }
                Step::Undone if done > 0 => {
                    let n = std::mem::take(&mut done);
                    due += n;
                    Entry::refund_undone(order, usd(n))
                }
                Step::Otherwise if due > 0 => {
                    let n = std::mem::take(&mut due);
                    otherwise += n;
                    Entry::refund_paid_otherwise(order, usd(n))
                }
                Step::Drop if due > 0 => {
                    Entry::refund_dropped(order, usd(std::mem::take(&mut due)))
                }
                _ => continue,
            };
            entries.push(entry.unwrap());
        }
        let books = OrderBooks::of(&entries).unwrap();
        prop_assert!(books.is_sound());
        prop_assert_eq!((books.due_back, books.refunded), (due, done + otherwise));
        let sums = balances(&entries).unwrap();
        let of = |account| sums.get(&(account, Currency::USD)).copied().unwrap_or(0);
        prop_assert_eq!(sums.values().sum::<i64>(), 0);
        prop_assert_eq!(-of(Account::CustomerDeposits), books.kept());
        prop_assert_eq!(-of(Account::RefundsDue), books.due_back);
        prop_assert_eq!(of(Account::ProviderClearing), captured - done);
        prop_assert_eq!(-of(Account::Bank), otherwise);
    }
}
