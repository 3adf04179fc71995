//! A supplier's view of its purchase order, behind its signed link: no account, one version.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use crate::domain::ids::PurchaseOrderId;
use crate::domain::purchase_order::PurchaseOrderState;
use crate::domain::text::clean_text;
use crate::store::Conn;
use crate::store::campaigns;
use crate::store::merchants::{self, MerchantRow};
use crate::store::purchase_orders::{self, PurchaseOrderRow};
use crate::web::pages::{private, see_other};
use crate::web::shop::{said_lines, trouble};
use crate::web::theme;
use crate::web::view::{
    Day, Moment, PoDocument, PoLine, PurchaseOrderPage, Shell, SupplierPage, SupplierState,
};
use crate::workflows::desk::{Problem, offer, purchase_number};
use crate::workflows::money::say;
use crate::workflows::office::Office;
use crate::workflows::purchase::{Document, acknowledge};

/// The longest note, in characters.
const NOTE: usize = 2000;

/// Puts the routes in.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/s/{token}", web::get().to(show))
        .service(
            web::resource("/s/{token}/acknowledge")
                .route(web::post().to(say_yes))
                .route(web::get().to(show)),
        )
        .route("/s/{token}/print", web::get().to(print))
        .route("/s/{token}/csv", web::get().to(csv));
}

#[derive(Default, Deserialize)]
struct Typed {
    #[serde(default)]
    note: String,
}

/// A purchase order as its supplier sees it.
struct Facts {
    row: PurchaseOrderRow,
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
    let token = token.to_owned();
    office
        .read(move |conn| read(conn, id, version, token))
        .await
}

fn read(
    conn: &mut Conn,
    id: PurchaseOrderId,
    version: i32,
    token: String,
) -> Result<Facts, Problem> {
    let row = purchase_orders::by_id(conn, id)?
        .filter(|row| row.version == version && row.number.is_some())
        .ok_or(Problem::NotFound("purchase order"))?;
    let batch = campaigns::batch(conn, row.batch_id)?.ok_or(Problem::NotFound("batch"))?;
    let campaign =
        campaigns::by_id(conn, batch.campaign_id)?.ok_or(Problem::NotFound("campaign"))?;
    Ok(Facts {
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
            campaign: d.campaign.clone(),
            lines: lines.collect(),
            units: d.units(),
            total: say(d.total, &d.currency),
            wanted_by: d.wanted_by.map(Day),
        }
    }

    fn state(&self) -> SupplierState {
        use PurchaseOrderState as S;
        match self.row.state {
            S::Draft | S::Sent => SupplierState::Sent,
            S::Replaced => SupplierState::Replaced,
            S::Cancelled | S::Rejected => SupplierState::Cancelled,
            S::Closed => SupplierState::Closed,
            S::Acknowledged | S::InProduction | S::InTransit | S::PartlyReceived | S::Received => {
                let at = self.row.acknowledged_at.unwrap_or(self.row.created_at);
                SupplierState::Acknowledged {
                    at: Moment::new(at.and_utc(), self.zone),
                    note: self.row.note.clone(),
                }
            }
        }
    }

    fn page(&self, shell: Shell, typed: &str, error: Option<String>) -> SupplierPage {
        SupplierPage {
            shell,
            document: self.document(),
            buyer_name: self.document.merchant.clone(),
            buyer_email: Some(self.merchant.email.clone()).filter(|e| !e.is_empty()),
            sent: self.sent(),
            state: self.state(),
            acknowledge_action: self.path("/acknowledge"),
            note: SupplierPage::note_field(typed, error),
            print_href: self.path("/print"),
            csv_href: self.path("/csv"),
        }
    }

    fn csv(&self) -> Result<Vec<u8>, csv::Error> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(["sku", "name", "units", "unit_cost", "cost", "currency"])?;
        let document = self.document();
        for line in &document.lines {
            writer.write_record([
                &no_formula(&line.sku),
                &no_formula(&line.name),
                &line.units.to_string(),
                &line.unit_cost,
                &line.total,
                &self.document.currency,
            ])?;
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
            let shell = shell(&office, &request, &facts.path(""));
            private(StatusCode::OK, &facts.page(shell, "", None))
        }
        Err(e) => refused(&office, &request, &e),
    }
}

async fn say_yes(
    office: web::Data<Office>,
    request: HttpRequest,
    token: web::Path<String>,
    typed: Option<web::Form<Typed>>,
) -> HttpResponse {
    let facts = match open(&office, &token).await {
        Ok(facts) => facts,
        Err(e) => return refused(&office, &request, &e),
    };
    let typed = typed.map(|t| t.into_inner().note).unwrap_or_default();
    let note = match clean_text(&typed, NOTE) {
        Ok(note) => note,
        Err(why) => {
            let shell = shell(&office, &request, &facts.path(""));
            let page = facts.page(shell, &typed, Some(format!("Please {why}.")));
            return private(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let id = facts.row.id;
    let note = Some(note).filter(|n| !n.trim().is_empty());
    let said = office
        .write(move |_, tx| acknowledge(tx, id, note.as_deref()))
        .await;
    match said {
        Ok(_) => see_other(&facts.path("")),
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
