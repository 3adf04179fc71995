//! A parcel's life (domain section 5). *Shipped* means handed over to the carrier, not a label printed.

use super::currency::Currency;
use super::ledger::Revenue;
use super::tariff::Quote;
use super::words::{WrongState, words};

words! {
    /// Why a parcel goes out.
    ShipmentKind {
        /// An order's goods.
        Order = "order",
        /// Sent again for what was lost, damaged or wrong.
        Reship = "reship",
    }
}

words! {
    /// Where a parcel stands.
    ShipmentState {
        /// Its units are locked against edits, not against cancelling.
        Picked = "picked",
        /// Something in it was cancelled: it must not go out.
        Stopped = "stopped",
        HandedOver = "handed_over",
        Delivered = "delivered",
        Lost = "lost",
        /// It came back.
        Returned = "returned",
    }
}

words! {
    /// Who says that a parcel arrived.
    DeliveredBy {
        Carrier = "carrier",
        Staff = "staff",
        Shopper = "shopper",
        /// Nobody did: 21 days after it was handed over.
        Assumed = "assumed",
    }
}

/// What can happen to a parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShipmentEvent {
    /// Something in it was cancelled.
    Stopped,
    /// The carrier took it.
    HandedOver,
    /// The carrier took it before it was stopped, which became known later.
    HandedOverBeforeStop,
    /// It arrived.
    Delivered,
    /// It is lost.
    Lost,
    /// It came back.
    Returned,
}

impl ShipmentState {
    /// The state after an event.
    ///
    /// # Errors
    /// [`WrongState`] where the event does not apply, which names both.
    pub fn after(self, event: ShipmentEvent) -> Result<Self, WrongState> {
        use ShipmentEvent as E;
        use ShipmentState as S;
        match (self, event) {
            (S::Picked, E::Stopped) => Ok(S::Stopped),
            (S::Picked, E::HandedOver) => Ok(S::HandedOver),
            (S::Stopped, E::HandedOverBeforeStop) => Ok(S::HandedOver),
            (S::HandedOver, E::Delivered) => Ok(S::Delivered),
            // One that was assumed to have arrived may turn out lost.
            (S::HandedOver | S::Delivered, E::Lost) => Ok(S::Lost),
            (S::HandedOver | S::Delivered | S::Lost, E::Returned) => Ok(S::Returned),
            // What was given up may arrive all the same.
            (S::Lost, E::Delivered) => Ok(S::Delivered),
            (S::Picked | S::Stopped | S::HandedOver | S::Delivered | S::Lost | S::Returned, _) => {
                Err(WrongState {
                    what: "parcel",
                    state: self.as_str(),
                    event: format!("{event:?}"),
                })
            }
        }
    }
}

/// Days after its handover at which a parcel counts as arrived where nobody said so (domain section 5).
pub const ASSUMED_AFTER_DAYS: i64 = 21;

/// Where a parcel can be followed, for carriers whose page is known; the number is what a person typed.
pub fn tracking_link(carrier: Option<&str>, number: &str) -> Option<String> {
    let number: String = number.chars().filter(char::is_ascii_alphanumeric).collect();
    if number.is_empty() {
        return None;
    }
    let name: String = carrier?
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_lowercase();
    let known = CARRIERS.iter().find(|(word, _)| name.starts_with(word));
    known.map(|(_, page)| format!("{page}{number}"))
}

/// Carriers by the beginning of their name, and their tracking pages up to the number.
const CARRIERS: [(&str, &str); 7] = [
    (
        "dhl",
        "https://www.dhl.com/global-en/home/tracking.html?tracking-id=",
    ),
    ("ups", "https://www.ups.com/track?tracknum="),
    ("fedex", "https://www.fedex.com/fedextrack/?trknbr="),
    (
        "usps",
        "https://tools.usps.com/go/TrackConfirmAction?tLabels=",
    ),
    ("gls", "https://gls-group.com/track/"),
    ("dpd", "https://tracking.dpd.de/status/en_US/parcel/"),
    (
        "royalmail",
        "https://www.royalmail.com/track-your-item#/tracking-results/",
    ),
];

/// What goods that cost this bring: goods and shipping without tax, and the tax.
pub fn revenue(quote: &Quote, currency: Currency) -> Revenue {
    // Where tax is included it is a part of goods and shipping; else it came on top.
    let (in_goods, in_shipping) = if quote.tax_included > 0 {
        (quote.tax_included - quote.shipping_tax, quote.shipping_tax)
    } else {
        (0, 0)
    };
    Revenue {
        currency,
        goods: quote.goods - in_goods,
        shipping: quote.shipping - in_shipping,
        tax: quote.tax(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_parcel_goes_out_only_if_it_had_gone_before() {
        let stopped = ShipmentState::Picked.after(ShipmentEvent::Stopped).unwrap();
        assert!(stopped.after(ShipmentEvent::HandedOver).is_err());
        assert_eq!(
            stopped.after(ShipmentEvent::HandedOverBeforeStop),
            Ok(ShipmentState::HandedOver)
        );
    }

    #[test]
    fn a_number_of_a_known_carrier_leads_to_its_page() {
        assert_eq!(
            tracking_link(Some("UPS Standard"), "1Z 999").as_deref(),
            Some("https://www.ups.com/track?tracknum=1Z999")
        );
        assert_eq!(tracking_link(Some("Cousin Otto"), "1"), None);
        assert_eq!(tracking_link(None, "1"), None);
        assert_eq!(
            tracking_link(Some("UPS"), "\"><b>"),
            Some("https://www.ups.com/track?tracknum=b".into())
        );
    }

    #[test]
    fn what_came_back_takes_nothing_more() {
        for event in [
            ShipmentEvent::HandedOver,
            ShipmentEvent::Delivered,
            ShipmentEvent::Lost,
            ShipmentEvent::Returned,
        ] {
            assert!(ShipmentState::Returned.after(event).is_err());
        }
    }
}
