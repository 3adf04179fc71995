//! All that is known of a disputed order, in plain sentences: for a person, and as the provider's fields.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;

use crate::domain::change::ChangeState;
use crate::domain::country::Country;
use crate::domain::withdrawal::has_right;
use crate::store::orders::OrderRow;
use crate::store::refunds::DisputeRow;
use crate::store::shipments::ShipmentRow;
use crate::store::{
    Conn, changes, claims, mails, merchants, misc, notices, papers, posts, refunds, shipments,
};
use crate::workflows::change::lines_of;
use crate::workflows::changes::{Before, wanted};
use crate::workflows::desk::{Problem, order_number};
use crate::workflows::join::{Address, FrozenQuote};
use crate::workflows::money::say;
use crate::workflows::payment::frozen;
use crate::workflows::ports::EvidenceField;

/// Most updates of the seller that are named.
const UPDATES: i64 = 50;

/// One part of what is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is about.
    pub title: &'static str,
    /// A sentence each; none where there is nothing.
    pub lines: Vec<String>,
}

/// All that is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collected {
    /// Part by part.
    pub parts: Vec<Part>,
    short: BTreeMap<EvidenceField, String>,
}

fn at(moment: NaiveDateTime) -> String {
    moment.format("%-d %B %Y, %H:%M UTC").to_string()
}

/// Collects it.
///
/// # Errors
/// What the database says; a damaged row.
pub fn collect(
    conn: &mut Conn,
    dispute: &DisputeRow,
    order: &OrderRow,
) -> Result<Collected, Problem> {
    let agreed = frozen(order)?;
    let address: Address = serde_json::from_str(&order.address)?;
    let parcels = shipments::of_order(conn, order.id)?;
    let parts = vec![
        bought(order, &agreed),
        consents(conn, order, &agreed)?,
        payments(conn, dispute, order)?,
        delivery(&parcels),
        dates(conn, order)?,
        told(conn, order)?,
        reported(conn, order)?,
        timeline(conn, order)?,
    ];
    let mut short = BTreeMap::new();
    let mut put = |field, text: String| {
        if !text.trim().is_empty() {
            short.insert(field, text);
        }
    };
    use EvidenceField as F;
    put(
        F::ProductDescription,
        bought(order, &agreed).lines.join("\n"),
    );
    put(F::CustomerName, order.name.clone());
    put(F::CustomerEmail, order.email.clone());
    put(F::PurchaseIp, order.joined_from.clone());
    put(
        F::ShippingAddress,
        lines_of(&order.name, &address).join("\n"),
    );
    let sent = parcels.iter().filter(|p| p.handed_over_at.is_some());
    let of = |f: &dyn Fn(&ShipmentRow) -> Option<String>| -> String {
        sent.clone().filter_map(f).collect::<Vec<_>>().join(", ")
    };
    put(F::ShippingCarrier, of(&|p| p.carrier.clone()));
    put(F::TrackingNumber, of(&|p| p.tracking_number.clone()));
    put(
        F::ShippingDate,
        of(&|p| p.handed_over_at.map(|when| when.date().to_string())),
    );
    let policy = consents(conn, order, &agreed)?.lines.join("\n");
    put(F::RefundPolicy, policy.clone());
    put(F::CancellationPolicy, policy);
    Ok(Collected { parts, short })
}

impl Collected {
    /// The provider's fields with their words, each cut to what it takes. Staff's own words stand last.
    pub fn fields(&self, note: &str) -> BTreeMap<EvidenceField, String> {
        let mut fields = self.short.clone();
        let mut all = String::new();
        for part in self.parts.iter().filter(|part| !part.lines.is_empty()) {
            all.push_str(&format!("{}\n{}\n\n", part.title, part.lines.join("\n")));
        }
        let most = EvidenceField::Everything.most();
        let room = most.saturating_sub(note.chars().count());
        all = cut(&all, room);
        all.push_str(note);
        fields.insert(EvidenceField::Everything, all);
        fields
            .into_iter()
            .map(|(field, text)| (field, cut(&text, field.most())))
            .collect()
    }
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

fn bought(order: &OrderRow, agreed: &FrozenQuote) -> Part {
    let mut lines = vec![format!(
        "Order {} of the group buy \"{}\", placed {}.",
        order_number(order.number),
        agreed.title,
        at(order.created_at)
    )];
    for (line, priced) in agreed.lines.iter().zip(&agreed.quote.lines) {
        lines.push(format!(
            "{} x {} ({}), {} each.",
            priced.quantity,
            line.name,
            line.sku,
            say(priced.unit_price, &order.currency)
        ));
    }
    lines.push(format!(
        "Total with shipping and tax: {}.",
        say(order.total, &order.currency)
    ));
    Part {
        title: "What was bought",
        lines,
    }
}

/// What the shopper saw and agreed to before he paid.
fn consents(conn: &mut Conn, order: &OrderRow, agreed: &FrozenQuote) -> Result<Part, Problem> {
    let mut lines = vec![format!(
        "The total and the seller's terms, version {}, were shown and accepted before the payment, {} from the address {}, \
         by a button that says that it pays.",
        order.terms_version,
        at(order.created_at),
        order.joined_from
    )];
    lines.extend(changed(conn, order)?);
    if let Some(day) = agreed.promised {
        lines.push(format!(
            "It was said that the goods are ordered from the supplier after enough people have joined, and shipped by {day}."
        ));
    }
    let seller = merchants::by_id(conn, order.merchant_id)?;
    let chosen = agreed.withdrawal || seller.is_some_and(|m| m.withdrawal_everywhere);
    if Country::parse(&order.country).is_some_and(|country| has_right(country, chosen)) {
        lines.push(
            "The right of withdrawal, until 14 days after the delivery, was explained before the payment and in the \
             confirmation."
                .to_owned(),
        );
    }
    lines.push(
        "Until the supplier's order was sent the shopper could cancel on the order's page for a full refund; the \
         confirmation says so."
            .to_owned(),
    );
    Ok(Part {
        title: "What was agreed",
        lines,
    })
}

/// What the shopper agreed to when the order was changed.
fn changed(conn: &mut Conn, order: &OrderRow) -> Result<Vec<String>, Problem> {
    let mut lines = Vec::new();
    for row in changes::of_order(conn, order.id)? {
        let (Some(when), ChangeState::Done) = (row.agreed_at, row.state) else {
            continue;
        };
        let (was, is) = (Before::read(&row)?, wanted(&row)?);
        let what = is.lines.iter().zip(&is.quote.lines);
        let what: Vec<String> = what
            .map(|(line, priced)| format!("{} x {}", priced.quantity, line.name))
            .collect();
        lines.push(format!(
            "A change of the order to {}, {} in all instead of {}, was shown{} and agreed to by a button, {} from the \
             address {}; the terms in force were version {}.",
            what.join(", "),
            say(is.quote.total, &order.currency),
            say(was.total, &order.currency),
            if row.asked_by.is_some() {
                " at the seller's suggestion"
            } else {
                ""
            },
            at(when),
            row.agreed_from.unwrap_or_default(),
            row.agreed_terms.unwrap_or_default()
        ));
        let entered = is.lines.iter().filter(|line| line.made_to_order);
        let entered = entered.filter(|line| was.lines.iter().all(|had| had.sku != line.sku));
        let exempt: Vec<&str> = entered.map(|line| line.name.as_str()).collect();
        if !exempt.is_empty() {
            let names = exempt.join(", ");
            lines.push(format!(
                "It was said beforehand that there is no right of withdrawal from {names}."
            ));
        }
    }
    Ok(lines)
}

fn payments(conn: &mut Conn, dispute: &DisputeRow, order: &OrderRow) -> Result<Part, Problem> {
    let mut lines = vec![format!(
        "Disputed: {} ({}), opened {}.",
        say(dispute.amount, &order.currency),
        dispute.reason.replace('_', " "),
        at(dispute.opened_at)
    )];
    for paper in papers::of_orders(conn, &[order.id])? {
        lines.push(format!(
            "{} {}, {}, {}.",
            paper.kind.title(),
            paper.kind.number(paper.number),
            say(paper.amount, &paper.currency),
            at(paper.issued_at)
        ));
    }
    for refund in refunds::of_order(conn, order.id)? {
        lines.push(format!(
            "Refund of {}: {}, since {}.",
            say(refund.amount, &refund.currency),
            refund.state.as_str().replace('_', " "),
            at(refund.updated_at)
        ));
    }
    Ok(Part {
        title: "Payments and receipts",
        lines,
    })
}

fn delivery(parcels: &[ShipmentRow]) -> Part {
    let line = |parcel: &ShipmentRow| {
        let mut words = vec![format!("Parcel {}", parcel.number)];
        if let Some(carrier) = &parcel.carrier {
            words.push(format!("by {carrier}"));
        }
        if let Some(number) = &parcel.tracking_number {
            words.push(format!("tracking number {number}"));
        }
        words.push(match parcel.handed_over_at {
            Some(when) => format!("handed to the carrier {}", at(when)),
            None => "not handed to the carrier".to_owned(),
        });
        if let (Some(when), Some(by)) = (parcel.delivered_at, parcel.delivered_by) {
            words.push(format!("delivered {}, as said by: {by}", at(when)));
        }
        format!("{}.", words.join(", "))
    };
    Part {
        title: "Delivery",
        lines: parcels.iter().map(line).collect(),
    }
}

fn dates(conn: &mut Conn, order: &OrderRow) -> Result<Part, Problem> {
    let mut lines = Vec::new();
    for notice in notices::of_order(conn, order.id)? {
        let Some(sent) = notice.sent_at else { continue };
        let date = notice
            .revised
            .map_or_else(|| "a date not known".to_owned(), |day| day.to_string());
        lines.push(format!(
            "Told {} that the ship date moves from {} to {date}: {}",
            at(sent),
            notice.replaces,
            notice.reason
        ));
        let from = |address: &Option<String>| address.clone().unwrap_or_default();
        if let Some(when) = notice.waited_at {
            lines.push(format!(
                "The shopper chose to wait, {} from {}.",
                at(when),
                from(&notice.answered_from)
            ));
        }
        if let Some(when) = notice.cancelled_at {
            lines.push(format!(
                "The shopper chose to cancel, {} from {}.",
                at(when),
                from(&notice.cancelled_from)
            ));
        }
    }
    Ok(Part {
        title: "Delay notices and answers",
        lines,
    })
}

fn told(conn: &mut Conn, order: &OrderRow) -> Result<Part, Problem> {
    let mut lines: Vec<String> = mails::of_order(conn, order.id)?
        .into_iter()
        .filter(|mail| mail.recipient == order.email)
        .filter_map(|mail| Some(format!("Mail of {}: {}", at(mail.sent_at?), mail.subject)))
        .collect();
    for post in posts::of_campaign(conn, order.campaign_id, None, UPDATES)? {
        if post.posted_at >= order.created_at {
            lines.push(format!(
                "Update to everybody, {}: {}",
                at(post.posted_at),
                post.title
            ));
        }
    }
    Ok(Part {
        title: "What the shopper was told",
        lines,
    })
}

fn reported(conn: &mut Conn, order: &OrderRow) -> Result<Part, Problem> {
    let claims = claims::of_order(conn, order.id)?;
    let line = |claim: &claims::ClaimRow| {
        format!(
            "{}, by {}: {} ({}): {}",
            at(claim.opened_at),
            claim.reported_by,
            claim.kind.as_str().replace('_', " "),
            claim.state.as_str().replace('_', " "),
            claim.text
        )
    };
    Ok(Part {
        title: "What the shopper wrote",
        lines: claims.iter().map(line).collect(),
    })
}

fn timeline(conn: &mut Conn, order: &OrderRow) -> Result<Part, Problem> {
    let all = misc::happenings_of_order(conn, order.id)?;
    let lines = all
        .iter()
        .map(|h| format!("{} {}", at(h.at), h.detail))
        .collect();
    Ok(Part {
        title: "Timeline",
        lines,
    })
}
