//! Ideas for what to run next: written, ended, hidden, and made into campaigns by staff; voted for by shoppers.

use actix_web::{HttpResponse, web};

use super::form::{FormPage, Line, Pairs, Section, Typed, problems_of};
use super::guard::{Refusal, Staff};
use super::kit::{Cell, ListPage, Table, fact, id};
use crate::domain::draft::MAX_TITLE;
use crate::domain::ids::IdeaId;
use crate::domain::interest::IdeaState;
use crate::store::ideas::{self as rows, IdeaRow};
use crate::web::view::{Empty, Field, Link, Problems, grouped, plural, state_word};
use crate::workflows::desk::Problem;
use crate::workflows::ideas::{self, MAX_BODY, Written};

/// Mounts them.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.route("/ideas", web::get().to(list))
        .route("/ideas/new", web::get().to(new))
        .route("/ideas/new", web::post().to(create))
        .route("/ideas/{id}", web::get().to(one))
        .route("/ideas/{id}", web::post().to(change));
}

/// `GET /admin/ideas`
pub async fn list(staff: Staff) -> Result<HttpResponse, Refusal> {
    let merchant = staff.merchant.id;
    let read = staff.office.read(move |conn| -> Result<_, Problem> {
        let all = rows::of_merchant(conn, merchant, IdeaState::ALL, ideas::MOST)?;
        let titles = ideas::made_of_all(conn, &all)?;
        Ok((all, titles))
    });
    let (all, titles) = read.await?;
    let manages = staff.person.role.may_manage();
    let table = all.iter().map(|row| {
        let made = titles.get(&row.id);
        let campaign = match made {
            Some((slug, title)) => Cell::Link(Link::new(format!("/admin/campaigns/{slug}"), title)),
            None if manages => Cell::Link(Link::new(
                format!("/admin/campaigns/new?idea={}", row.id),
                "Make a campaign of it",
            )),
            None => Cell::text("none yet"),
        };
        vec![
            Cell::Link(Link::new(format!("/admin/ideas/{}", row.id), &row.title)),
            Cell::state(row.state.as_str()),
            Cell::number(grouped(row.votes)),
            campaign,
        ]
    });
    let mut actions = Vec::new();
    if manages {
        actions.push(Link::new("/admin/ideas/new", "New idea"));
    }
    actions.push(Link::new(
        format!("/m/{}#ideas", staff.merchant.slug),
        "Your public page",
    ));
    let page = ListPage {
        shell: staff.shell("campaigns"),
        title: "Ideas".into(),
        lead: Some(
            "Shoppers vote for what you might run next, each address once for an idea.".into(),
        ),
        empty: Empty {
            text: "What you might run next will stand here, with its votes.".into(),
            action: actions.first().filter(|_| manages).cloned(),
        },
        actions,
        filters: vec![],
        action: "/admin/ideas".into(),
        table: Table::new(
            "Ideas, most votes first",
            vec![
                ("Idea", false),
                ("State", false),
                ("Votes", true),
                ("Campaign", false),
            ],
            table.collect(),
        ),
        pager: None,
    };
    Ok(page.answer())
}

fn form(
    staff: &Staff,
    known: Option<&(IdeaRow, bool)>,
    typed: &Typed,
    problems: Problems,
) -> HttpResponse {
    let row = known.map(|(row, _)| row);
    let shell = staff.shell("campaigns");
    let mut page = match row {
        Some(row) => FormPage::new(
            shell,
            format!("Idea: {}", row.title),
            format!("/admin/ideas/{}", row.id),
        ),
        None => FormPage::new(shell, "New idea", "/admin/ideas/new"),
    };
    page.crumbs = vec![
        Link::new("/admin/campaigns", "Campaigns"),
        Link::new("/admin/ideas", "Ideas"),
    ];
    let limit = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let field = |field: Field| -> Line {
        let value = typed.get(&field.name).to_owned();
        field.value(value).problems(&problems).into()
    };
    page.sections = vec![Section::new(
        "What you might run",
        vec![
            field(Field::text("title", "Title").max_length(limit(MAX_TITLE))),
            field(
                Field::area("body", "Text", 6)
                    .hint("Markdown. What it would be, and what you would like to know.")
                    .max_length(limit(MAX_BODY))
                    .optional(),
            ),
        ],
    )];
    if let Some((row, came)) = known {
        page.facts = vec![
            fact("State", state_word(row.state.as_str())),
            fact("Confirmed votes", plural(row.votes, "vote")),
        ];
        page.sections.push(Section::new("Votes", deeds(row, *came)));
    } else {
        page.lead = vec!["It stands on your public page at once, and is voted for.".into()];
    }
    page.back = Some(Link::new("/admin/ideas", "Leave it as it is"));
    page.submit = match row {
        Some(_) => "Save the words".to_owned(),
        None => "Show it".to_owned(),
    };
    page.problems = problems;
    page.answer()
}

/// What can be done with an idea; less once a campaign came of it.
fn deeds(row: &IdeaRow, came: bool) -> Vec<Line> {
    let button = |to: &str, label: &str| Line::Button(to.to_owned(), label.to_owned());
    match row.state {
        IdeaState::Open => vec![
            button("ended", "End the voting"),
            button("hidden", "Hide it from the public"),
        ],
        IdeaState::Ended => vec![
            button("open", "Take votes again"),
            button("hidden", "Hide it from the public"),
        ],
        IdeaState::Hidden if came => vec![Line::Text(
            "A campaign came of it, so it takes no votes again. The public does not see it.".into(),
        )],
        IdeaState::Hidden => vec![button("open", "Show it, and take votes")],
        IdeaState::Running => vec![
            Line::Text("A campaign came of it; who asked for it is told by mail.".into()),
            button("hidden", "Hide it from the public"),
        ],
    }
}

/// `GET /admin/ideas/new`
pub async fn new(staff: Staff) -> Result<HttpResponse, Refusal> {
    staff.manages()?;
    Ok(form(&staff, None, &Typed::default(), Problems::default()))
}

fn written(typed: &Typed) -> Written {
    Written {
        title: typed.get("title").to_owned(),
        body: typed.get("body").to_owned(),
    }
}

/// `POST /admin/ideas/new`
pub async fn create(staff: Staff, sent: Pairs) -> Result<HttpResponse, Refusal> {
    staff.manages()?;
    let typed = Typed::from(sent.into_inner());
    let (merchant, new) = (staff.merchant.id, written(&typed));
    let added = staff
        .office
        .write(move |_, tx| ideas::add(tx, merchant, &new));
    match added.await {
        Ok(_) => staff.done("The idea is shown, and voted for.", "/admin/ideas"),
        Err(Problem::Invalid(errors)) => Ok(form(&staff, None, &typed, problems_of(&errors))),
        Err(other) => Err(other.into()),
    }
}

/// The merchant's own idea, and whether a campaign came of it.
async fn own(staff: &Staff, path: &str) -> Result<(IdeaRow, bool), Refusal> {
    staff.manages()?;
    let (merchant, id) = (staff.merchant.id, id::<IdeaId>(path)?);
    let found = staff.office.read(move |conn| -> Result<_, Problem> {
        let row = ideas::own_idea(conn, merchant, id)?;
        let came = ideas::came(conn, &row)?;
        Ok((row, came))
    });
    Ok(found.await?)
}

/// `GET /admin/ideas/{id}`
pub async fn one(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let known = own(&staff, &path).await?;
    let mut typed = Typed::default();
    typed.set("title", &known.0.title);
    typed.set("body", &known.0.body);
    Ok(form(&staff, Some(&known), &typed, Problems::default()))
}

/// `POST /admin/ideas/{id}`
pub async fn change(
    staff: Staff,
    path: web::Path<String>,
    sent: Pairs,
) -> Result<HttpResponse, Refusal> {
    let known = own(&staff, &path).await?;
    let typed = Typed::from(sent.into_inner());
    let (merchant, id, new) = (staff.merchant.id, known.0.id, written(&typed));
    let to: Option<IdeaState> = typed.get("do").parse().ok();
    let changed = staff.office.write(move |_, tx| match to {
        Some(to) => ideas::set_state(tx, merchant, id, to),
        None => ideas::edit(tx, merchant, id, &new),
    });
    match changed.await {
        Ok(row) => {
            let said = match to {
                None => "The words are saved.",
                Some(IdeaState::Open) => "It is shown, and takes votes.",
                Some(IdeaState::Ended) => "It takes no votes any more.",
                Some(IdeaState::Hidden | IdeaState::Running) => "The public does not see it.",
            };
            staff.done(said, &format!("/admin/ideas/{}", row.id))
        }
        Err(Problem::Invalid(errors)) => {
            Ok(form(&staff, Some(&known), &typed, problems_of(&errors)))
        }
        Err(other) => Err(other.into()),
    }
}
