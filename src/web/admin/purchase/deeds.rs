//! What staff do with a purchase order: send it, send it again, and the ways out, each on a page that says first what it
//! means.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web};

use super::{Known, one};
use crate::domain::ids::SupplierId;
use crate::domain::purchase_order::share_within;
use crate::store::Tx;
use crate::web::admin::form::{FormPage, Line, Pairs, Section, Typed, problems_of};
use crate::web::admin::guard::{Refusal, Staff};
use crate::web::admin::kit::{self, fact, id};
use crate::web::view::{Choice, Field, Link, Problems, grouped};
use crate::workflows::desk::{Desk, Problem};
use crate::workflows::purchase::ways::{self, Plan, Split, Way};
use crate::workflows::purchase::{self, Sent};

/// What is answered while saved cards are charged.
const COLLECTING: &str =
    "Saved cards are still being charged. It is sent by itself when that has ended.";

/// A way out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deed {
    AddUnits,
    Split,
    Replace,
    Version,
}

impl Deed {
    fn of(word: &str) -> Result<Self, Refusal> {
        match word {
            "add-units" => Ok(Deed::AddUnits),
            "split" => Ok(Deed::Split),
            "replace" => Ok(Deed::Replace),
            "version" => Ok(Deed::Version),
            _ => Err(Refusal::NotFound),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Deed::AddUnits => "add-units",
            Deed::Split => "split",
            Deed::Replace => "replace",
            Deed::Version => "version",
        }
    }

    fn fits(self, known: &Known) -> bool {
        match self {
            Deed::AddUnits => known.is_draft(),
            Deed::Split => known.ways.len() > 1 && (known.is_draft() || known.is_replaceable()),
            Deed::Replace => known.ways.len() > 1 && known.is_replaceable(),
            Deed::Version => known.row.supplier_id.is_some() && known.is_replaceable(),
        }
    }

    fn link(self, known: &Known) -> Link {
        let text = match self {
            Deed::AddUnits => "Add units".to_owned(),
            Deed::Split => "Split between two suppliers".to_owned(),
            Deed::Replace => "Replace by another supplier".to_owned(),
            Deed::Version => format!("Send {} a new version", known.document.supplier),
        };
        let href = format!(
            "/admin/purchase-orders/{}/ways/{}",
            known.row.id,
            self.word()
        );
        Link::new(href, text)
    }
}

impl Known {
    /// The ways out that are open now.
    pub(super) fn deeds(&self) -> Vec<Link> {
        let all = [Deed::AddUnits, Deed::Replace, Deed::Split, Deed::Version];
        let open = all.into_iter().filter(|deed| deed.fits(self));
        open.map(|deed| deed.link(self)).collect()
    }

    /// Suppliers as choices, with what each would cost, when it would arrive, and what stands in the way.
    fn choices(&self, but: Option<SupplierId>) -> Vec<Choice> {
        let others = self.ways.iter().filter(|way| Some(way.supplier.id) != but);
        others
            .map(|way| {
                let (cost, days) = self.differences(way);
                let mut parts = vec![way.supplier.name.clone(), self.cost_of(way)];
                parts.extend([cost, days].into_iter().filter(|said| !said.is_empty()));
                if way.stands.is_some() {
                    parts.push("blocked as it is".to_owned());
                }
                Choice::new(way.supplier.id.to_string(), parts.join(", "))
            })
            .collect()
    }

    fn way(&self, id: &str) -> Option<&Way> {
        self.ways
            .iter()
            .find(|way| way.supplier.id.to_string() == id)
    }

    /// What a form begins with: the supplier who needs the least, and a division that fits the first one's capacity.
    fn proposal(&self, deed: Deed) -> Typed {
        let mut typed = Typed::default();
        let mine = self
            .row
            .supplier_id
            .map(|id| id.to_string())
            .unwrap_or_default();
        match deed {
            Deed::AddUnits => {
                let own = self.way(&mine).or(self.ways.first());
                typed.set(
                    "supplier_id",
                    own.map_or_else(String::new, |w| w.supplier.id.to_string()),
                );
                let missing = own.and_then(|way| way.missing).unwrap_or(0);
                typed.set("added_units", missing.to_string());
            }
            Deed::Replace => {
                let others = self
                    .ways
                    .iter()
                    .filter(|w| w.supplier.id.to_string() != mine);
                let best = others.min_by_key(|way| way.stands.is_some());
                typed.set(
                    "supplier_id",
                    best.map_or_else(String::new, |w| w.supplier.id.to_string()),
                );
            }
            Deed::Version => typed.set("added_units", self.row.added_units.to_string()),
            Deed::Split => {
                let Some(first) = self.way(&mine).or(self.ways.first()) else {
                    return typed;
                };
                let second = self
                    .ways
                    .iter()
                    .find(|w| w.supplier.id != first.supplier.id);
                typed.set("supplier_id", first.supplier.id.to_string());
                typed.set(
                    "split.supplier_id",
                    second.map_or_else(String::new, |w| w.supplier.id.to_string()),
                );
                let lines = &first.document.lines;
                let wanted: Vec<_> = lines
                    .iter()
                    .map(crate::domain::purchase_order::Wanted::from)
                    .collect();
                let paid: i64 = lines.iter().map(|l| l.paid).sum();
                let room = first.supplier.capacity_units.unwrap_or(paid / 2);
                let safety = first.document.safety_percent;
                let shares = share_within(&wanted, safety, first.document.case_pack, room);
                for (line, share) in lines.iter().zip(shares.unwrap_or_default()) {
                    typed.set(
                        format!("split.units.{}", line.sku),
                        (line.paid - share).to_string(),
                    );
                }
            }
        }
        typed
    }

    fn deed_page(
        &self,
        staff: &Staff,
        deed: Deed,
        typed: &Typed,
        problems: Problems,
    ) -> HttpResponse {
        let href = format!("/admin/purchase-orders/{}", self.row.id);
        let link = deed.link(self);
        let mut page = FormPage::new(staff.shell("campaigns"), link.text, link.href);
        page.crumbs = vec![Link::new(&href, self.title())];
        let who = &self.document.supplier;
        page.lead = vec![match deed {
            Deed::AddUnits => "The units come on top of what was paid, divided among the options by what was paid. \
                 What is not given to shoppers is left over for you."
                .to_owned(),
            Deed::Split => "Each gets a purchase order of its own; together they cover every unit that was paid.".to_owned(),
            Deed::Replace => format!("{who} is told that the order is taken back, with your reason. The new order keeps the batch."),
            Deed::Version => format!("{who} gets the order anew under the same number; the link before it says that a newer version is there."),
        }];
        page.facts = vec![
            fact("Paid units", grouped(self.row.units_paid)),
            fact("Bought so far", grouped(self.row.units)),
            fact(
                "With",
                if who.is_empty() {
                    "nobody yet"
                } else {
                    who.as_str()
                },
            ),
        ];
        page.sections = vec![Section::new("How", self.fields(deed, typed, &problems))];
        page.submit = match deed {
            Deed::AddUnits => "Add them and send it",
            Deed::Split => "Split it and send both",
            Deed::Replace => "Take it back and send the new one",
            Deed::Version => "Send the new version",
        }
        .to_owned();
        page.risk = !self.is_draft();
        page.back = Some(Link::new(href, "Leave it as it is"));
        page.problems = problems;
        page.answer()
    }

    fn fields(&self, deed: Deed, typed: &Typed, problems: &Problems) -> Vec<Line> {
        let mut lines: Vec<Line> = Vec::new();
        let value = |name: &str| typed.get(name).to_owned();
        let old = self.row.supplier_id.filter(|_| deed == Deed::Replace);
        if deed != Deed::Version {
            let label = if deed == Deed::Split {
                "First supplier"
            } else {
                "Supplier"
            };
            lines.push(
                Field::select("supplier_id", label, self.choices(old))
                    .value(value("supplier_id"))
                    .problems(problems)
                    .into(),
            );
        }
        if deed == Deed::Split {
            lines.push(
                Field::select("split.supplier_id", "Second supplier", self.choices(None))
                    .value(value("split.supplier_id"))
                    .problems(problems)
                    .into(),
            );
            let units = self.ways.first().map(|way| way.document.lines.as_slice());
            for line in units.unwrap_or_default() {
                let name = format!("split.units.{}", line.sku);
                lines.push(
                    Field::text(&name, format!("{} from the second", line.name))
                        .inputmode("numeric")
                        .hint(format!(
                            "Of {} paid; the first gets the rest.",
                            grouped(line.paid)
                        ))
                        .value(value(&name))
                        .problems(problems)
                        .into(),
                );
            }
        } else {
            let field = Field::text("added_units", "Units to add")
                .inputmode("numeric")
                .value(value("added_units"))
                .problems(problems);
            let field = if deed == Deed::AddUnits {
                field.hint("More than the minimum does no harm: they are sold later.")
            } else {
                field.hint("To come to the supplier's minimum.").optional()
            };
            lines.push(field.into());
        }
        if !self.is_draft() {
            let hint = match deed {
                Deed::Version => "Kept with the order.",
                _ => "The old supplier reads it.",
            };
            lines.push(
                Field::area("reason", "Reason", 3)
                    .hint(hint)
                    .max_length(500)
                    .value(value("reason"))
                    .problems(problems)
                    .into(),
            );
        }
        lines
    }

    /// The plan that was typed, or what is wrong with it.
    fn plan(&self, deed: Deed, typed: &Typed) -> Result<Plan, Problem> {
        let mut errors = Vec::new();
        let supplier = |name: &str| -> Result<Option<SupplierId>, Problem> {
            let found = typed.some(name).map(|id| self.way(id));
            let unknown = || Problem::field(name, "choose one of your suppliers");
            found
                .map(|way| way.map(|w| w.supplier.id).ok_or_else(unknown))
                .transpose()
        };
        let first = match deed {
            Deed::Version => self.row.supplier_id,
            _ => supplier("supplier_id")?,
        };
        let added_units = match deed {
            Deed::AddUnits if typed.some("added_units").is_none() => {
                return Err(Problem::field("added_units", "write how many units to add"));
            }
            Deed::Split => None,
            _ => typed.number("added_units", &mut errors),
        };
        let split = match deed {
            Deed::Split => {
                let missing = || Problem::field("split.supplier_id", "choose the second supplier");
                let second = supplier("split.supplier_id")?.ok_or_else(missing)?;
                let mut units = BTreeMap::new();
                for line in self.ways.first().map_or(&[][..], |way| &way.document.lines) {
                    let name = format!("split.units.{}", line.sku);
                    if let Some(n) = typed.number(&name, &mut errors) {
                        units.insert(line.sku.clone(), n);
                    }
                }
                Some(Split {
                    supplier: second,
                    units,
                })
            }
            _ => None,
        };
        if !errors.is_empty() {
            return Err(Problem::Invalid(errors));
        }
        Ok(Plan {
            supplier: first,
            added_units,
            split,
        })
    }
}

async fn known_for(staff: &Staff, path: &(String, String)) -> Result<(Known, Deed), Refusal> {
    staff.manages()?;
    let deed = Deed::of(&path.1)?;
    let known = one(staff, &path.0).await?;
    if !deed.fits(&known) {
        let say = format!(
            "This purchase order is {}: that is not open any more.",
            known.row.state
        );
        return Err(Problem::conflict("wrong-state", say).into());
    }
    Ok((known, deed))
}

/// `GET /admin/purchase-orders/{id}/ways/{deed}`
pub(super) async fn ask(
    staff: Staff,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Refusal> {
    let (known, deed) = known_for(&staff, &path).await?;
    Ok(known.deed_page(&staff, deed, &known.proposal(deed), Problems::default()))
}

/// `POST /admin/purchase-orders/{id}/ways/{deed}`
pub(super) async fn act(
    staff: Staff,
    path: web::Path<(String, String)>,
    form: Pairs,
) -> Result<HttpResponse, Refusal> {
    let (known, deed) = known_for(&staff, &path).await?;
    let typed = Typed::from(form.into_inner());
    match done(&staff, &known, deed, &typed).await {
        Err(Refusal::Problem(Problem::Invalid(errors))) => {
            Ok(known.deed_page(&staff, deed, &typed, problems_of(&errors)))
        }
        Err(Refusal::Problem(Problem::Conflict {
            kind: "purchase-order-blocked",
            message,
        })) => {
            let mut problems = Problems::default();
            problems.add("", message);
            Ok(known.deed_page(&staff, deed, &typed, problems))
        }
        other => other,
    }
}

async fn done(
    staff: &Staff,
    known: &Known,
    deed: Deed,
    typed: &Typed,
) -> Result<HttpResponse, Refusal> {
    let plan = known.plan(deed, typed)?;
    let (merchant, id) = (staff.merchant.id, known.row.id);
    if known.is_draft() {
        let sent = staff
            .office
            .write(move |desk, tx| ways::send_planned(desk, tx, merchant, id, &plan))
            .await?;
        let href = format!("/admin/purchase-orders/{id}");
        return match sent {
            Sent::Done => staff.done("It is on its way to the supplier.", &href),
            Sent::Collecting => staff.done(COLLECTING, &href),
            Sent::Blocked(..) => staff.done(
                "The units are kept, but it is still blocked; see what stands in its way.",
                &href,
            ),
        };
    }
    let reason = typed.get("reason").to_owned();
    let new = staff
        .office
        .write(move |desk, tx| ways::replace(desk, tx, merchant, id, &plan, &reason))
        .await?;
    let href = format!("/admin/purchase-orders/{}", new.id);
    staff.done("The new order is on its way to the supplier.", &href)
}

/// `POST /admin/purchase-orders/{id}/send`
pub(super) async fn send(
    staff: Staff,
    path: web::Path<String>,
    form: Pairs,
) -> Result<HttpResponse, Refusal> {
    staff.manages()?;
    let known = one(&staff, &path).await?;
    if !known.is_draft() {
        return Err(Problem::conflict(
            "wrong-state",
            "This purchase order is not waiting to be sent.",
        )
        .into());
    }
    let typed = Typed::from(form.into_inner());
    let supplier: Option<SupplierId> = typed.some("supplier").map(id).transpose()?;
    if supplier.is_some_and(|s| known.ways.iter().all(|w| w.supplier.id != s)) {
        return Err(Refusal::NotFound);
    }
    let plan = Plan {
        supplier,
        ..Plan::default()
    };
    let (merchant, id) = (staff.merchant.id, known.row.id);
    let sent = staff
        .office
        .write(move |desk, tx| ways::send_planned(desk, tx, merchant, id, &plan))
        .await?;
    let href = format!("/admin/purchase-orders/{id}");
    match sent {
        Sent::Done => staff.done("It is on its way to the supplier.", &href),
        Sent::Collecting => staff.done(COLLECTING, &href),
        Sent::Blocked(..) => staff.done("It is still blocked; see what stands in its way.", &href),
    }
}

/// `POST /admin/purchase-orders/{id}/mail`
pub(super) async fn mail_again(
    staff: Staff,
    path: web::Path<String>,
) -> Result<HttpResponse, Refusal> {
    staff.manages()?;
    let known = one(&staff, &path).await?;
    let po = known.row.id;
    let f = move |desk: &Desk, tx: &mut Tx| purchase::send_mail_again(desk, tx, po);
    let said = "The mail goes out once more: same number, same content, same link.";
    kit::act(&staff, f, said, &format!("/admin/purchase-orders/{po}")).await
}
