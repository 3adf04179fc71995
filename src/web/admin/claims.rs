//! Claims in the panel: what is open, each with its photos, and what staff decide about it.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::claim_deeds::{self, Deed};
use super::form::{Pairs, Typed, problems_of};
use super::guard::{Refusal, Staff};
use super::kit::{Facts, fact, id, short};
use super::{claim_list, claim_report};
use crate::domain::day::parse_date;
use crate::domain::draft::FieldError;
use crate::domain::ids::{ClaimId, OptionId, PhotoId};
use crate::domain::money::parse_decimal;
use crate::store::Conn;
use crate::store::claims::{self as rows, ClaimPhotoRow};
use crate::web::order::{claim_badge, claim_picture, photo_answer};
use crate::web::pages;
use crate::web::view::{Badge, Day, Link, PanelShell, Picture, Problems};
use crate::workflows::claims::decide::{Claim, Decision, read, resolve};
use crate::workflows::claims::returns::{ask_return, receive};
use crate::workflows::claims::say_kind;
use crate::workflows::desk::{Problem, order_number};
use crate::workflows::forms::is_first;
use crate::workflows::money::{currency, say};

/// Mounts them.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.route("/claims", web::get().to(claim_list::list))
        .route("/claims/{id}", web::get().to(page))
        .route("/claims/{id}/photos/{photo}", web::get().to(photo))
        .route("/claims/{id}/{deed}", web::post().to(act))
        .route("/orders/{id}/claims/new", web::get().to(claim_report::new))
        .route(
            "/orders/{id}/claims/new",
            web::post().to(claim_report::make),
        );
}

/// `/admin/claims/{id}`
#[derive(Template)]
#[template(path = "admin/claim.html")]
struct ClaimPage {
    shell: PanelShell,
    title: String,
    badge: Badge,
    order: Link,
    problems: Problems,
    text: String,
    facts: Facts,
    photos: Vec<Picture>,
    deeds: Vec<Deed>,
}

/// All that a claim's page shows.
pub(super) struct Known {
    pub(super) claim: Claim,
    photos: Vec<ClaimPhotoRow>,
    /// What a full refund gives back, minor units.
    pub(super) back: i64,
    /// What would be left of each option's stock if it were sent again.
    pub(super) stock: Vec<(OptionId, i64)>,
}

async fn known(staff: &Staff, path: &str) -> Result<Known, Refusal> {
    let (merchant, claim) = (staff.merchant.id, id::<ClaimId>(path)?);
    let found = staff
        .office
        .read(move |conn: &mut Conn| -> Result<_, Problem> {
            let claim = read(conn, merchant, claim)?;
            Ok(Known {
                photos: rows::photos_of(conn, &[claim.row.id])?,
                back: claim.back()?,
                stock: claim.stock(conn)?,
                claim,
            })
        });
    Ok(found.await?)
}

impl Known {
    /// An amount in the order's currency.
    pub(super) fn money(&self, amount: i64) -> String {
        say(amount, &self.claim.case.order.currency)
    }

    fn facts(&self) -> Facts {
        let row = &self.claim.row;
        let zone = self.claim.case.draft.time_zone;
        let mut facts = vec![
            fact("Shopper", self.claim.case.order.name.clone()),
            fact("Reported", short(row.opened_at, zone)),
            fact("By", row.reported_by.clone()),
            fact(
                "Units",
                self.claim.case.say_units(&self.claim.units()).join("; "),
            ),
        ];
        let days = [
            ("Refund due by", row.refund_by),
            ("To be sent back by", row.return_by),
        ];
        for (name, day) in days {
            if let Some(day) = day {
                facts.push(fact(name, Day(day).text()));
            }
        }
        if let Some(at) = row.return_sent_at {
            facts.push(fact("On its way back since", short(at, zone)));
        }
        if let Some(proof) = &row.return_proof {
            facts.push(fact("Proof", proof.clone()));
        }
        if let Some(at) = row.returned_at {
            facts.push(fact("Came back", short(at, zone)));
            for line in &self.claim.lines {
                facts.push(fact(
                    &self.claim.case.name_of(line.option_id),
                    format!("{} to stock, {} scrapped", line.restocked, line.scrapped),
                ));
            }
        }
        if let Some(amount) = row.amount {
            facts.push(fact("Goes back", self.money(amount)));
        }
        if let (Some(by), Some(at)) = (&row.resolved_by, row.resolved_at) {
            facts.push(fact("Decided", format!("{}, {by}", short(at, zone))));
        }
        if let Some(reason) = &row.outcome_reason {
            facts.push(fact("Reason", reason.clone()));
        }
        facts
    }

    fn draw(&self, staff: &Staff, typed: &Typed, problems: Problems) -> HttpResponse {
        let row = &self.claim.row;
        let order = &self.claim.case.order;
        let manages = staff.person.role.may_manage();
        let status = if problems.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::UNPROCESSABLE_ENTITY
        };
        let photos = self
            .photos
            .iter()
            .map(|p| claim_picture(p, format!("/admin/claims/{}/photos/{}", row.id, p.id)));
        let page = ClaimPage {
            shell: staff.shell("orders"),
            title: format!(
                "Order {}: {}",
                order_number(order.number),
                say_kind(row.kind)
            ),
            badge: claim_badge(row),
            order: Link::new(
                format!("/admin/orders/{}", order.id),
                order_number(order.number),
            ),
            text: row.text.clone(),
            facts: self.facts(),
            photos: photos.collect(),
            deeds: if manages {
                claim_deeds::of(self, typed, &problems, staff.office.now())
            } else {
                Vec::new()
            },
            problems,
        };
        pages::private(status, &page)
    }
}

/// `GET /admin/claims/{id}`
pub async fn page(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let known = known(&staff, &path).await?;
    Ok(known.draw(&staff, &Typed::default(), Problems::default()))
}

/// `GET /admin/claims/{id}/photos/{photo}`
pub async fn photo(
    staff: Staff,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Refusal> {
    let (merchant, claim, photo) = (
        staff.merchant.id,
        id::<ClaimId>(&path.0)?,
        id::<PhotoId>(&path.1)?,
    );
    let found = staff.office.read(move |conn| -> Result<_, Problem> {
        let row = rows::photo(conn, photo)?.filter(|p| p.claim_id == claim);
        let owner = rows::by_id(conn, claim)?.filter(|c| c.merchant_id == merchant);
        match (row, owner) {
            (Some(row), Some(_)) => Ok(row.file),
            _ => Err(Problem::NotFound("photo")),
        }
    });
    let file = found.await?;
    Ok(photo_answer(&staff.office, file).await)
}

/// What was pressed.
enum Pressed {
    Decided(Decision),
    Received(Vec<(OptionId, i64, i64)>),
    Asked(chrono::NaiveDate, String),
}

fn pressed(known: &Known, deed: &str, typed: &Typed) -> Result<Pressed, Refusal> {
    Ok(match deed {
        "refund" => Pressed::Decided(Decision::Refund {
            shown: Some(typed.get("shown").parse().unwrap_or(-1)),
        }),
        "reship" => Pressed::Decided(Decision::Reship),
        "refuse" => Pressed::Decided(Decision::Refuse {
            reason: typed.get("reason").to_owned(),
        }),
        "part" => {
            let money = currency(&known.claim.case.order.currency)?;
            let amount = parse_decimal(typed.get("amount"), money)
                .map_err(|e| Problem::field("amount", e.to_string()))?;
            Pressed::Decided(Decision::Part {
                amount,
                reason: typed.get("part_reason").to_owned(),
            })
        }
        "received" => {
            let count = |name: String| typed.get(&name).trim().parse::<i64>().unwrap_or(-1);
            let lines = known.claim.lines.iter().map(|line| {
                let option = line.option_id;
                let good = count(format!("good_{option}"));
                (option, good, count(format!("bad_{option}")))
            });
            Pressed::Received(lines.collect())
        }
        "return" => {
            let by = parse_date(typed.get("by"));
            let by = by.ok_or_else(|| Problem::field("by", "write a date as YYYY-MM-DD"))?;
            Pressed::Asked(by, typed.get("address").to_owned())
        }
        _ => return Err(Refusal::NotFound),
    })
}

/// A workflow's name of a field as this page spells it.
fn at_fields(errors: &[FieldError], known: &Known, deed: &str) -> Problems {
    let own: Vec<FieldError> = errors
        .iter()
        .map(|e| {
            let index = e.field.strip_prefix("lines[");
            let index = index.and_then(|rest| rest.split(']').next()?.parse::<usize>().ok());
            let line = index.and_then(|i| known.claim.lines.get(i));
            match (line, e.field.as_str(), deed) {
                (Some(line), ..) => FieldError::new(format!("good_{}", line.option_id), &e.message),
                (None, "lines", _) => match known.claim.lines.first() {
                    Some(line) => FieldError::new(format!("good_{}", line.option_id), &e.message),
                    None => e.clone(),
                },
                (None, "reason", "part") => FieldError::new("part_reason", &e.message),
                _ => e.clone(),
            }
        })
        .collect();
    problems_of(&own)
}

/// `POST /admin/claims/{id}/{deed}`
pub async fn act(
    staff: Staff,
    path: web::Path<(String, String)>,
    form: Pairs,
) -> Result<HttpResponse, Refusal> {
    staff.manages()?;
    let known = known(&staff, &path.0).await?;
    let typed = Typed::from(form.into_inner());
    let deed = path.1.clone();
    let done = match pressed(&known, &deed, &typed) {
        Ok(pressed) => {
            let (merchant, claim, name) = (staff.merchant.id, known.claim.row.id, staff.name());
            let (form, key) = (format!("claim:{claim}"), typed.get("form_key").to_owned());
            let work = staff.office.write(move |desk, tx| -> Result<(), Problem> {
                if !is_first(tx, &form, &key)? {
                    return Ok(());
                }
                match &pressed {
                    Pressed::Decided(d) => resolve(desk, tx, Some(merchant), claim, (&name, d)),
                    Pressed::Received(lines) => receive(desk, tx, merchant, claim, (&name, lines)),
                    Pressed::Asked(by, address) => {
                        ask_return(desk, tx, merchant, claim, (&name, *by, address))
                    }
                }
                .map(|_| ())
            });
            work.await.map_err(Refusal::from)
        }
        Err(e) => Err(e),
    };
    match done {
        Ok(()) => staff.done(
            "It is written down; the shopper is told by mail.",
            &format!("/admin/claims/{}", known.claim.row.id),
        ),
        Err(Refusal::Problem(Problem::Invalid(errors))) => {
            let problems = at_fields(&errors, &known, &deed);
            Ok(known.draw(&staff, &typed, problems))
        }
        Err(other) => Err(other),
    }
}
