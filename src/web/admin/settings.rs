//! Settings: the merchant's pages, the own password, keys for programs.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::form::{FormPage, Line, Pairs, Section, Typed, problems_of};
use super::guard::{Refusal, Staff};
use super::kit::{Facts, fact};
use crate::store::merchants;
use crate::web::pages;
use crate::web::view::{Day, Field, Link, PanelShell, Problems, state_word};
use crate::workflows::accounts::{
    self, MerchantInput, PASSWORD_LENGTH, hash_password, is_password,
};
use crate::workflows::desk::Problem;

/// Mounts them.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.route("/settings", web::get().to(page))
        .route("/settings/merchant", web::get().to(merchant))
        .route("/settings/merchant", web::post().to(save_merchant))
        .route("/settings/password", web::get().to(password))
        .route("/settings/password", web::post().to(save_password))
        .route("/settings/api-keys", web::post().to(make_key))
        .route("/settings/api-keys/{id}/revoke", web::post().to(revoke_key));
}

/// `/admin/settings`
#[derive(Template)]
#[template(path = "admin/settings.html")]
struct SettingsPage {
    shell: PanelShell,
    facts: Facts,
    missing: Vec<&'static str>,
    people: Facts,
    public_href: String,
    owns: bool,
    key: Option<String>,
    keys: Vec<Key>,
}

/// A key that was made: its id, the end of it for people, and when.
struct Key {
    id: String,
    short: String,
    made: Day,
}

async fn draw(staff: &Staff, key: Option<String>) -> Result<HttpResponse, Refusal> {
    let id = staff.merchant.id;
    let (people, keys) = staff
        .office
        .read(move |conn| -> Result<_, Problem> {
            Ok((
                merchants::staff_of(conn, id)?,
                merchants::keys_of(conn, id)?,
            ))
        })
        .await?;
    let merchant = &staff.merchant;
    let page = SettingsPage {
        shell: staff.shell("settings"),
        facts: vec![
            fact("Name", merchant.name.clone()),
            fact("Answers go to", merchant.email.clone()),
            fact("Postal address", told(merchant.address.replace('\n', ", "))),
            fact(
                "Terms",
                match merchant.terms_version {
                    0 => "none yet".to_owned(),
                    version => format!("version {version}"),
                },
            ),
            fact(
                "Payouts",
                if merchant.payouts_manual {
                    "manual"
                } else {
                    "not said"
                },
            ),
            fact(
                "Withdrawal within 14 days",
                if merchant.withdrawal_everywhere {
                    "for every address"
                } else {
                    "where the law says so: EU, EEA, United Kingdom"
                },
            ),
        ],
        missing: merchant.missing(),
        people: people
            .iter()
            .map(|p| fact(&p.email, state_word(p.role.as_str())))
            .collect(),
        public_href: format!("/m/{}", merchant.slug),
        owns: staff.person.role.may_own(),
        key,
        keys: keys
            .into_iter()
            .map(|(id, made)| (id.to_string(), made))
            .map(|(id, made)| Key {
                short: format!("\u{2026}{}", &id[id.len() - 8..]),
                id,
                made: Day(made.date()),
            })
            .collect(),
    };
    Ok(pages::private(StatusCode::OK, &page))
}

/// `GET /admin/settings`
pub async fn page(staff: Staff) -> Result<HttpResponse, Refusal> {
    draw(&staff, None).await
}

/// `POST /admin/settings/api-keys`: the key is on this page and never again.
pub async fn make_key(staff: Staff) -> Result<HttpResponse, Refusal> {
    staff.owns()?;
    let merchant = staff.merchant.id;
    let key = staff
        .office
        .write(move |_, tx| accounts::create_api_key(tx, merchant))
        .await?;
    draw(&staff, Some(key)).await
}

/// `POST /admin/settings/api-keys/{id}/revoke`
pub async fn revoke_key(staff: Staff, id: web::Path<String>) -> Result<HttpResponse, Refusal> {
    staff.owns()?;
    let merchant = staff.merchant.id;
    let id = id.parse().map_err(|_| Problem::NotFound("key"))?;
    staff
        .office
        .write(move |_, tx| accounts::revoke_api_key(tx, merchant, id))
        .await?;
    Ok(pages::see_other("/admin/settings"))
}

fn merchant_page(staff: &Staff, typed: &Typed, problems: Problems) -> HttpResponse {
    let mut page = FormPage::new(
        staff.shell("settings"),
        "The shop's pages",
        "/admin/settings/merchant",
    );
    page.crumbs = vec![Link::new("/admin/settings", "Settings")];
    page.back = Some(Link::new("/admin/settings", "Leave it"));
    let field = |field: Field| -> Line {
        let value = typed.get(&field.name).to_owned();
        field.value(value).problems(&problems).into()
    };
    page.sections = vec![
        Section::new(
            "Seller",
            vec![
                Line::Row(vec![
                    field(Field::text("name", "Name").max_length(120)),
                    field(Field::input("email", "email", "E-mail").hint("Shoppers' answers go there.")),
                ]),
                field(
                    Field::area("address", "Postal address", 4)
                        .hint("Shoppers see it before they pay.")
                        .max_length(500)
                        .optional(),
                ),
            ],
        ),
        Section::new(
            "Pages",
            vec![
                field(Field::area("imprint", "Imprint", 6).hint("Markdown. Who answers for the shop.").optional()),
                field(
                    Field::area("terms", "Terms", 10)
                        .hint("Markdown. A change makes a new version; orders keep the one they were placed under.")
                        .optional(),
                ),
                field(Field::area("privacy", "Privacy", 8).hint("Markdown.").optional()),
            ],
        ),
        Section::new(
            "Payouts",
            vec![Line::Tick(
                "payouts_manual".into(),
                "Payouts are manual at the provider".into(),
                typed.ticked("payouts_manual"),
                "At Stripe: Dashboard, Settings, Payouts, Payout schedule, Manual. So the money for refunds is there if a \
                 campaign fails."
                    .into(),
            )],
        ),
        Section::new(
            "Withdrawal",
            vec![Line::Tick(
                "withdrawal_everywhere".into(),
                "Everybody may withdraw within 14 days".into(),
                typed.ticked("withdrawal_everywhere"),
                "Addresses in the EU, the EEA and the United Kingdom may in any case, by law. Orders keep what held when \
                 they were placed. This is not legal advice: ask somebody who knows your country's law."
                    .into(),
            )],
        ),
    ];
    "Save the pages".clone_into(&mut page.submit);
    page.problems = problems;
    page.answer()
}

/// What was filled in, or that nothing was.
fn told(value: String) -> String {
    if value.is_empty() {
        "none yet".to_owned()
    } else {
        value
    }
}

/// `GET /admin/settings/merchant`
pub async fn merchant(staff: Staff) -> Result<HttpResponse, Refusal> {
    staff.owns()?;
    let row = &staff.merchant;
    let mut typed = Typed::default();
    for (name, value) in [
        ("name", &row.name),
        ("email", &row.email),
        ("address", &row.address),
        ("imprint", &row.imprint),
        ("terms", &row.terms),
        ("privacy", &row.privacy),
    ] {
        typed.set(name, value);
    }
    if row.payouts_manual {
        typed.set("payouts_manual", "1");
    }
    if row.withdrawal_everywhere {
        typed.set("withdrawal_everywhere", "1");
    }
    Ok(merchant_page(&staff, &typed, Problems::default()))
}

/// `POST /admin/settings/merchant`
pub async fn save_merchant(staff: Staff, form: Pairs) -> Result<HttpResponse, Refusal> {
    staff.owns()?;
    let typed = Typed::from(form.into_inner());
    let text = |name: &str| typed.get(name).to_owned();
    let input = MerchantInput {
        name: text("name"),
        email: text("email"),
        address: text("address"),
        imprint: text("imprint"),
        terms: text("terms"),
        privacy: text("privacy"),
        payouts_manual: typed.ticked("payouts_manual"),
        withdrawal_everywhere: typed.ticked("withdrawal_everywhere"),
    };
    let merchant = staff.merchant.id;
    let kept = staff
        .office
        .write(move |_, tx| accounts::edit_merchant(tx, merchant, &input))
        .await;
    match kept {
        Ok(_) => staff.done("The shop's pages are saved.", "/admin/settings"),
        Err(Problem::Invalid(errors)) => Ok(merchant_page(&staff, &typed, problems_of(&errors))),
        Err(other) => Err(other.into()),
    }
}

fn password_page(staff: &Staff, problems: Problems) -> HttpResponse {
    let mut page = FormPage::new(
        staff.shell("settings"),
        "Your password",
        "/admin/settings/password",
    );
    page.crumbs = vec![Link::new("/admin/settings", "Settings")];
    page.back = Some(Link::new("/admin/settings", "Leave it"));
    page.lead = vec!["Every other browser you are logged in with is logged out.".into()];
    let (least, most) = PASSWORD_LENGTH;
    let hint = format!("{least} to {most} characters; a few unrelated words do well.");
    let field = |name: &str, label: &str, token, hint: Option<&str>| -> Line {
        let mut field = Field::input("password", name, label).autocomplete(token);
        if let Some(hint) = hint {
            field = field.hint(hint);
        }
        field.problems(&problems).into()
    };
    page.sections = vec![Section::new(
        "Change it",
        vec![
            field("present", "Present password", "current-password", None),
            field("password", "New password", "new-password", Some(&hint)),
            field("again", "New password, again", "new-password", None),
        ],
    )];
    "Change the password".clone_into(&mut page.submit);
    page.problems = problems;
    page.answer()
}

/// `GET /admin/settings/password`
pub async fn password(staff: Staff) -> HttpResponse {
    password_page(&staff, Problems::default())
}

/// `POST /admin/settings/password`
pub async fn save_password(staff: Staff, form: Pairs) -> Result<HttpResponse, Refusal> {
    let typed = Typed::from(form.into_inner());
    let mut problems = Problems::default();
    let seen = staff.person.password_hash.clone();
    if !is_password(Some(seen.clone()), typed.get("present").to_owned()).await? {
        problems.add("present", "This is not your present password.");
    }
    if typed.get("password") != typed.get("again") {
        problems.add("again", "Write the new password twice, the same.");
    }
    if !problems.is_empty() {
        return Ok(password_page(&staff, problems));
    }
    let new = match hash_password(typed.get("password").to_owned()).await {
        Ok(new) => new,
        Err(Problem::Invalid(errors)) => return Ok(password_page(&staff, problems_of(&errors))),
        Err(other) => return Err(other.into()),
    };
    let person = staff.person.id;
    let row = staff
        .office
        .write(move |_, tx| accounts::change_password(tx, person, &seen, &new))
        .await?;
    staff.stay(&row)?;
    staff.done("Your password is changed.", "/admin/settings")
}
