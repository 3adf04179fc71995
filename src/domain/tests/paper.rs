use super::*;
use proptest::prelude::*;

#[test]
fn a_paper_s_number_reads_back_and_has_one_spelling() {
    for kind in PaperKind::ALL {
        for number in [1, 99_999, 1_234_567] {
            assert_eq!(
                PaperKind::parse(&kind.number(number)),
                Some((*kind, number))
            );
        }
    }
    for wrong in [
        "R-1",
        "R-00000",
        "X-00001",
        "R00001",
        "R--0001",
        "R-000001",
        "",
        "R-99999999999999999999",
    ] {
        assert_eq!(PaperKind::parse(wrong), None, "{wrong}");
    }
}

#[test]
fn tax_that_came_on_top_is_not_in_the_line() {
    let mut rule = TaxRule {
        countries: vec![],
        rate_basis_points: 1_000,
        included: false,
        name: None,
    };
    let added = sum("Refund".to_owned(), 1_100, 100, Some(&rule));
    assert_eq!((added.lines[0].amount, added.total), (1_000, 1_100));
    rule.included = true;
    let included = sum("Refund".to_owned(), 1_100, 100, Some(&rule));
    assert_eq!(included.lines[0].amount, 1_100);
    assert_eq!(included.tax.unwrap().net, 1_000);
    assert_eq!(sum("Refund".to_owned(), 5, 0, None).tax, None);
}

proptest! {
    #[test]
    fn the_tax_of_all_parts_is_the_tax_of_the_whole(
        parts in prop::collection::vec(1i64..1_000_000, 1..8),
        share in 0i64..=100,
        grain in prop::sample::select(vec![1i64, 10, 100]),
    ) {
        let parts: Vec<i64> = parts.iter().map(|part| part * grain).collect();
        let whole: i64 = parts.iter().sum();
        let tax = whole / grain * share / 100 * grain;
        let (mut before, mut given) = (0, 0);
        for part in parts {
            let its = tax_in_part((whole, tax), (before, given), part, grain);
            prop_assert!((0..=part).contains(&its));
            prop_assert_eq!(its % grain, 0);
            before += part;
            given += its;
        }
        prop_assert_eq!(given, tax);
    }
}
