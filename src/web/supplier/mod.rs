//! A supplier's view of its purchase order, behind its signed link: no account, one version.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Duration, Utc};

mod answers;

use answers::Typed;

use crate::domain::day::day_of;
use crate::domain::ids::PurchaseOrderId;
use crate::domain::purchase_order::{EtaSource, PurchaseOrderEvent, PurchaseOrderState};
use crate::store::etas::EtaRow;
use crate::store::merchants::{self, MerchantRow};
use crate::store::purchase_orders::{self, PurchaseOrderRow};
use crate::store::{Conn, campaigns, etas};
use crate::web::pages::private;
use crate::web::shop::{said_lines, trouble};
use crate::web::theme;
use crate::web::view::{
    Day, GivenDate, Link, Moment, PoDocument, PoLine, Problems, PurchaseOrderPage, Shell,
    SupplierPage, SupplierState,
};
use crate::workflows::desk::{Problem, offer, purchase_number};
use crate::workflows::money::say;
use crate::workflows::office::Office;
use crate::workflows::purchase::{DATE_AHEAD, Document};

/// Puts the routes in. A stray GET of a form's address shows the order and changes nothing.
pub fn configure(config: &mut web::ServiceConfig) {
    let form = |below: &str| web::resource(format!("/s/{{token}}/{below}"));
    let shown = || web::get().to(show);
    config
        .route("/s/{token}", web::get().to(show))
        .service(
            form("acknowledge")
                .route(web::post().to(answers::acknowledge))
                .route(shown()),
        )
        .service(
            form("production")
                .route(web::post().to(answers::in_production))
                .route(shown()),
        )
        .service(
            form("date")
                .route(web::post().to(answers::set_date))
                .route(shown()),
        )
        .service(
            form("shipped")
                .route(web::post().to(answers::shipped))
                .route(shown()),
        )
        .service(
            form("reject")
                .route(web::post().to(answers::reject))
                .route(web::get().to(answers::ask_reject)),
        )
        .route("/s/{token}/print", web::get().to(print))
        .route("/s/{token}/csv", web::get().to(csv));
}

/// A purchase order as its supplier sees it.
struct Facts {
    row: PurchaseOrderRow,
    /// The latest version under its number, where that is another one.
    newer: Option<PurchaseOrderRow>,
    /// Dates the supplier gave, first to last.
    dates: Vec<EtaRow>,
    now: DateTime<Utc>,
    document: Document,
    merchant: MerchantRow,
    zone: chrono_tz::Tz,
    token: String,
}

fn shell(office: &Office, request: &HttpRequest, back: &str) -> Shell {
    Shell::private(theme::of(request), back, office.settings().sandbox)
}

fn refused(office: &Office, request: &HttpRequest, problem: &Problem) -> HttpResponse {
    trouble::page(shell(office, request, "/"), problem)
}

/// The purchase order a token opens: an issued one, in the token's version.
async fn open(office: &Office, token: &str) -> Result<Facts, Problem> {
    let nothing = Problem::NotFound("purchase order");
    let (id, version) = office
        .desk()
        .links
        .opens_purchase_order(token)
        .ok_or(nothing)?;
    let (token, now) = (token.to_owned(), office.now());
    office
        .read(move |conn| read(conn, id, version, token, now))
        .await
}

fn read(
    conn: &mut Conn,
    id: PurchaseOrderId,
    version: i32,
    token: String,
    now: DateTime<Utc>,
) -> Result<Facts, Problem> {
    let row = purchase_orders::by_id(conn, id)?
        .filter(|row| row.version == version && row.number.is_some())
        .ok_or(Problem::NotFound("purchase order"))?;
    let batch = campaigns::batch(conn, row.batch_id)?.ok_or(Problem::NotFound("batch"))?;
    let campaign =
        campaigns::by_id(conn, batch.campaign_id)?.ok_or(Problem::NotFound("campaign"))?;
    let newer = purchase_orders::of_batch(conn, row.batch_id)?
        .into_iter()
        .filter(|other| other.number == row.number && other.version > row.version)
        .max_by_key(|other| other.version);
    let mut dates = etas::of_batch(conn, row.batch_id)?;
    dates.retain(|date| {
        date.purchase_order_id == Some(row.id) && date.source == EtaSource::Supplier
    });
    Ok(Facts {
        newer,
        dates,
        now,
        document: serde_json::from_str(&row.document)?,
        merchant: merchants::by_id(conn, row.merchant_id)?.ok_or(Problem::NotFound("merchant"))?,
        zone: offer(&campaign)?.time_zone,
        row,
        token,
    })
}

impl Facts {
    fn path(&self, below: &str) -> String {
        format!("/s/{}{below}", self.token)
    }

    fn number(&self) -> String {
        purchase_number(self.row.number.unwrap_or(0))
    }

    fn sent(&self) -> Moment {
        let at = self.row.sent_at.unwrap_or(self.row.created_at);
        Moment::new(at.and_utc(), self.zone)
    }

    fn document(&self) -> PoDocument {
        let d = &self.document;
        let lines = d.lines.iter().map(|line| PoLine {
            sku: line.sku.clone(),
            name: line.name.clone(),
            units: line.units,
            unit_cost: line
                .unit_cost
                .map_or_else(String::new, |c| say(c, &d.currency)),
            total: line
                .unit_cost
                .and_then(|cost| cost.checked_mul(line.units))
                .map_or_else(String::new, |total| say(total, &d.currency)),
        });
        let party = |name: &str, address: &str| {
            let mut party = said_lines(address);
            if party.first().is_none_or(|first| first != name) {
                party.insert(0, name.to_owned());
            }
            party
        };
        let buyer = party(&d.merchant, &d.merchant_address);
        PoDocument {
            number: self.number(),
            version: i64::from(self.row.version),
            date: self.sent(),
            deliver_to: buyer.clone(),
            buyer,
            supplier: party(&d.supplier, &d.supplier_address),
            campaign: d.purpose(),
            lines: lines.collect(),
            units: d.units(),
            total: say(d.total, &d.currency),
            wanted_by: d.wanted_by.map(Day),
        }
    }

    fn moment(&self, at: Option<chrono::NaiveDateTime>) -> Moment {
        Moment::new(at.unwrap_or(self.row.created_at).and_utc(), self.zone)
    }

    fn state(&self, office: &Office) -> SupplierState {
        use PurchaseOrderState as S;
        let row = &self.row;
        match row.state {
            S::Draft | S::Sent => SupplierState::Sent,
            S::Acknowledged => SupplierState::Acknowledged {
                at: self.moment(row.acknowledged_at),
                note: row.note.clone(),
            },
            S::InProduction => SupplierState::InProduction {
                at: self.moment(row.in_production_at),
            },
            S::InTransit => {
                let by = [row.carrier.clone(), row.tracking_number.clone()];
                let by: Vec<String> = by.into_iter().flatten().collect();
                SupplierState::InTransit {
                    at: self.moment(row.shipped_at),
                    by: by.join(", "),
                }
            }
            S::PartlyReceived => SupplierState::PartlyReceived,
            S::Received => SupplierState::Received,
            S::Rejected => SupplierState::Rejected {
                at: self.moment(row.rejected_at),
                reason: row.rejected_because.clone().unwrap_or_default(),
            },
            S::Replaced => SupplierState::Replaced {
                at: row.withdrawn_at.map(|at| self.moment(Some(at))),
                newer: self.newer.as_ref().map(|newer| {
                    let links = &office.desk().links;
                    let token = links.supplier_token(newer.id, newer.version);
                    Link::new(format!("/s/{token}"), format!("version {}", newer.version))
                }),
                reason: row.withdrawn_because.clone(),
            },
            S::Cancelled => SupplierState::Cancelled,
            S::Closed => SupplierState::Closed,
        }
    }

    fn can_reject(&self) -> bool {
        let rejected = self.row.state.after(PurchaseOrderEvent::Rejected);
        rejected.is_ok()
    }

    fn page(
        &self,
        office: &Office,
        request: &HttpRequest,
        typed: &Typed,
        problems: Problems,
    ) -> SupplierPage {
        let today = day_of(self.now, self.zone);
        let days = (
            Day(today + Duration::days(1)),
            Day(today + Duration::days(DATE_AHEAD)),
        );
        let known = |typed: &str, kept: &Option<String>| match (typed, kept) {
            ("", Some(kept)) => kept.clone(),
            (typed, _) => typed.to_owned(),
        };
        let carrier = known(&typed.carrier, &self.row.carrier);
        let tracking = known(&typed.tracking, &self.row.tracking_number);
        let given = self.dates.iter().rev();
        let moves = !self.dates.is_empty();
        SupplierPage {
            shell: shell(office, request, &self.path("")),
            document: self.document(),
            buyer_name: self.document.merchant.clone(),
            buyer_email: Some(self.merchant.email.clone()).filter(|e| !e.is_empty()),
            sent: self.sent(),
            state: self.state(office),
            here: self.path(""),
            note: SupplierPage::note_field(&typed.note, &problems),
            date: SupplierPage::date_fields(&typed.arrives, &typed.reason, days, moves, &problems),
            shipping: SupplierPage::shipping_fields(&carrier, &tracking, &problems),
            dates: given
                .map(|date| GivenDate {
                    arrives: date
                        .arrives
                        .map_or_else(|| "Not known".into(), |d| Day(d).text()),
                    reason: date.reason.clone(),
                    at: self.moment(Some(date.set_at)),
                })
                .collect(),
            problems,
        }
    }

    fn csv(&self) -> Result<Vec<u8>, csv::Error> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        // A column of its own only where the campaign has several batches.
        let batch = self.document.batch.map(|batch| batch.to_string());
        let mut head = vec!["sku", "name", "units", "unit_cost", "cost", "currency"];
        head.extend(batch.as_ref().map(|_| "batch"));
        writer.write_record(head)?;
        let document = self.document();
        for line in &document.lines {
            let mut cells = vec![
                no_formula(&line.sku),
                no_formula(&line.name),
                line.units.to_string(),
                line.unit_cost.clone(),
                line.total.clone(),
                self.document.currency.clone(),
            ];
            cells.extend(batch.clone());
            writer.write_record(cells)?;
        }
        writer
            .into_inner()
            .map_err(|e| csv::Error::from(e.into_error()))
    }
}

/// A text that a spreadsheet would take for a formula gets an apostrophe.
fn no_formula(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

async fn show(
    office: web::Data<Office>,
    request: HttpRequest,
    token: web::Path<String>,
) -> HttpResponse {
    match open(&office, &token).await {
        Ok(facts) => {
            let page = facts.page(&office, &request, &Typed::default(), Problems::default());
            private(StatusCode::OK, &page)
        }
        Err(e) => refused(&office, &request, &e),
    }
}

async fn print(
    office: web::Data<Office>,
    request: HttpRequest,
    token: web::Path<String>,
) -> HttpResponse {
    match open(&office, &token).await {
        Ok(facts) => {
            let page = PurchaseOrderPage {
                document: facts.document(),
                back: facts.path(""),
            };
            private(StatusCode::OK, &page)
        }
        Err(e) => refused(&office, &request, &e),
    }
}

async fn csv(
    office: web::Data<Office>,
    request: HttpRequest,
    token: web::Path<String>,
) -> HttpResponse {
    let facts = match open(&office, &token).await {
        Ok(facts) => facts,
        Err(e) => return refused(&office, &request, &e),
    };
    match facts.csv() {
        Ok(body) => {
            let name = format!("{}-v{}.csv", facts.number(), facts.row.version);
            HttpResponse::Ok()
                .content_type("text/csv; charset=utf-8")
                .insert_header((header::CACHE_CONTROL, "no-store"))
                .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
                .insert_header((
                    header::CONTENT_DISPOSITION,
                    format!("attachment; filename=\"{name}\""),
                ))
                .body(body)
        }
        Err(e) => {
            let problem = Problem::Internal(format!("a purchase order as CSV: {e}"));
            refused(&office, &request, &problem)
        }
    }
}
