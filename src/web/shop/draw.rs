//! What was read of a campaign, as the models of its pages.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::cost::paying;
use super::load::{Facts, Flows};
use crate::domain::campaign::{CampaignState, Failure};
use crate::domain::country::Country;
use crate::domain::draft::{CampaignDraft, OptionDraft, Trigger};
use crate::domain::price::Threshold;
use crate::domain::tariff::{Area, Band, Measure, ShippingRule};
use crate::domain::text::markdown_to_html;
use crate::store::campaigns::OptionRow as StoredOption;
use crate::store::merchants::MerchantRow;
use crate::store::misc::PictureRow;
use crate::web::assets::asset;
use crate::web::tongue::say;
use crate::web::view::{
    CampaignLive, CampaignPage, Charging, Choice, Countdown, Day, Ending, Html, InterestInput,
    JoinForm, JoinInput, JoinOffer, Meter, Moment, MoneyPlan, OptionRow, Paying, Picture, Problems,
    Record, Seller, Shell, ShippingRow, ShipsNow, Standing, StepRow, Steps, StepsPhase, TermsRef,
    grouped, plural, weight,
};
use crate::workflows::desk::{ends_at, takes_orders};
use crate::workflows::interest::is_over;
use crate::workflows::judgement::Why;
use crate::workflows::payment::say_threshold;
use crate::workflows::{signs, stock_sale};

/// The threshold as people read it, with thousands parted.
pub fn threshold_words(draft: &CampaignDraft) -> String {
    match draft.threshold {
        Threshold::Units(n) if n != 1 => format!("{} units", grouped(n)),
        _ => say_threshold(draft),
    }
}

/// Who sells.
pub fn seller(merchant: &MerchantRow) -> Seller {
    Seller {
        name: merchant.name.clone(),
        slug: merchant.slug.clone(),
        imprint: address_lines(merchant),
    }
}

/// Name and postal address, line by line; empty where there is no address.
pub fn address_lines(merchant: &MerchantRow) -> Vec<String> {
    let mut lines = said_lines(&merchant.address);
    if !lines.is_empty() && lines[0] != merchant.name {
        lines.insert(0, merchant.name.clone());
    }
    lines
}

/// The lines of a text that say something.
pub fn said_lines(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).filter(|l| !l.is_empty());
    lines.map(str::to_owned).collect()
}

/// The terms in force; none where the seller has published none.
pub fn terms(merchant: &MerchantRow) -> Option<TermsRef> {
    if merchant.terms.trim().is_empty() {
        return None;
    }
    Some(TermsRef {
        version: i64::from(merchant.terms_version),
        href: format!("/m/{}#terms", merchant.slug),
    })
}

/// A picture; a file under `art/` is part of the program.
pub fn picture(row: &PictureRow) -> Picture {
    Picture {
        src: if row.file.starts_with("art/") {
            asset(&row.file).to_owned()
        } else {
            format!("/uploads/{}", row.file)
        },
        width: u32::try_from(row.width).unwrap_or(0),
        height: u32::try_from(row.height).unwrap_or(0),
        alt: row.alt.clone(),
    }
}

/// Countries that a campaign ships to, by name.
pub fn countries(draft: &CampaignDraft) -> Vec<Choice> {
    let tariff = draft.tariff();
    let mut all: Vec<Country> = Country::all().filter(|c| tariff.ships_to(*c)).collect();
    all.sort_by_key(|c| c.name());
    all.into_iter()
        .map(|c| Choice::new(c.code(), c.name()))
        .collect()
}

impl Facts {
    /// The campaign's zone.
    pub fn zone(&self) -> Tz {
        self.draft.time_zone
    }

    /// A moment told in the campaign's zone.
    pub fn moment(&self, at: chrono::NaiveDateTime) -> Moment {
        Moment::new(at.and_utc(), self.zone())
    }

    /// An amount in the campaign's currency.
    pub fn say(&self, amount: i64) -> String {
        say(amount, &self.campaign.currency)
    }

    /// Whether it takes orders.
    pub fn takes_orders(&self, now: DateTime<Utc>) -> bool {
        takes_orders(&self.campaign, now.naive_utc())
    }

    /// Whether something can be bought: while it takes orders, and from stock after that.
    pub fn sells(&self, now: DateTime<Utc>) -> bool {
        self.takes_orders(now) || self.on_sale.is_some()
    }

    /// Units of an option that can be taken now; none without a limit.
    pub fn available(&self, row: &StoredOption) -> Option<i64> {
        // What is waited for is kept for those who wait.
        let kept = self.waited(row.id).map_or(0, |waited| waited.units);
        stock_sale::available(row, self.on_sale.as_ref()).map(|left| (left - kept).max(0))
    }

    /// The day that whoever orders now is promised.
    pub fn ships_by(&self, now: DateTime<Utc>) -> Day {
        match self.on_sale {
            Some(_) => Day(stock_sale::ships_by(&self.draft, now)),
            None => Day(self.draft.promised_ship_date),
        }
    }

    fn judged(&self) -> bool {
        self.batch.as_ref().is_some_and(|b| b.judged_at.is_some())
    }

    /// The step that is shown: the one judged, else the furthest reached.
    pub fn step(&self) -> usize {
        let judged = self.batch.as_ref().and_then(|b| b.step);
        match judged.and_then(|s| usize::try_from(s).ok()) {
            Some(step) if self.judged() => step.min(self.draft.steps.len() - 1),
            _ => self.current,
        }
    }

    fn units(&self) -> i64 {
        // What came in once the cards were charged counts, not what was promised before.
        let again = self.why.as_ref().and_then(Why::units_again);
        match &self.batch {
            Some(batch) if self.judged() => again.unwrap_or(batch.units_paid),
            _ => self.campaign.committed_units,
        }
    }

    fn phase(&self, now: DateTime<Utc>) -> StepsPhase {
        match self.campaign.state {
            CampaignState::Draft | CampaignState::Interest | CampaignState::Scheduled => {
                StepsPhase::Scheduled
            }
            CampaignState::Open if self.takes_orders(now) => StepsPhase::Open,
            CampaignState::Open => StepsPhase::Counting,
            CampaignState::Failed => StepsPhase::Failed,
            CampaignState::Collecting
            | CampaignState::Ordered
            | CampaignState::Fulfilling
            | CampaignState::Completed => StepsPhase::Settled,
        }
    }

    /// The price steps of the first option that is made.
    pub fn steps(&self, now: DateTime<Utc>) -> Steps {
        let made = |option: &&OptionDraft| self.not_made(&option.sku).is_none();
        let first = self.draft.options.iter().find(made);
        let first = first.or(self.draft.options.first());
        let rows = self
            .draft
            .steps
            .counts()
            .iter()
            .enumerate()
            .map(|(i, from)| {
                let price = first.map_or(0, |o| o.prices.price_at(i));
                StepRow::new(*from, self.say(price))
            });
        Steps {
            rows: rows.collect(),
            current: self.step(),
            units: self.units(),
            counted: if self.judged() {
                Vec::new()
            } else {
                self.counted.clone()
            },
            option: match (first, self.draft.options.len()) {
                (Some(first), 2..) => Some(first.name.clone()),
                _ => None,
            },
            phase: self.phase(now),
        }
    }

    /// How far the threshold is.
    pub fn meter(&self) -> Meter {
        let of = self.campaign.title.as_str();
        match self.draft.threshold {
            Threshold::Units(target) => {
                let units = if self.judged() {
                    self.units()
                } else {
                    self.tally.units
                };
                Meter::units(of, units, target)
            }
            Threshold::Amount(target) => {
                let value = self.tally.goods_value;
                // Of a failed campaign nothing is left to be counted; how far it came was written down.
                let note = self.campaign.failure_note.as_deref();
                let missed = match self.campaign.failure {
                    Some(Failure::Missed) => note.and_then(|n| n.split_once(" of ")),
                    _ => None,
                };
                let value_text =
                    missed.map_or_else(|| self.say(value), |(came, _)| came.to_owned());
                Meter {
                    of: of.to_owned(),
                    value,
                    target,
                    value_text,
                    target_text: self.say(target),
                    aside: None,
                }
            }
        }
    }

    /// What can be chosen.
    pub fn option_rows(&self) -> Vec<OptionRow> {
        let step = self.step();
        let rows = self.options.iter().filter_map(|row| {
            let draft = self.draft.options.iter().find(|o| o.sku == row.sku)?;
            let next = (step + 1 < self.draft.steps.len()).then(|| draft.prices.price_at(step + 1));
            Some(OptionRow {
                sku: row.sku.clone(),
                name: draft.name.clone(),
                price: self.say(draft.prices.price_at(step)),
                // From stock the price is settled: no more orders lower it.
                price_next: next
                    .filter(|_| self.on_sale.is_none())
                    .filter(|next| *next < draft.prices.price_at(step))
                    .map(|next| self.say(next)),
                committed: row.committed,
                available: self.available(row),
                waiting: self.waited(row.id).map(|waited| waited.orders),
                minimum: draft.minimum.map(i64::from).filter(|_| !self.judged()),
                not_made: self.not_made(&row.sku),
                per_shopper: draft.per_shopper.map(i64::from),
                made_to_order: draft.made_to_order,
            })
        });
        rows.collect()
    }

    /// Where an option is not made: the units it came to, and those it needed.
    fn not_made(&self, sku: &str) -> Option<(i64, i64)> {
        let mut gone = self.why.iter().flat_map(Why::not_made);
        let found = gone.find(|option| option.sku == sku)?;
        Some((found.units, found.minimum))
    }

    /// Where it stands.
    pub fn standing(&self, now: DateTime<Utc>) -> Standing {
        match self.campaign.state {
            CampaignState::Interest => {
                let over = is_over(&self.campaign, now.naive_utc());
                let opens = self.campaign.opens_at.filter(|_| !over);
                Standing::Interest {
                    opens: opens.map(|at| self.moment(at)),
                    over,
                }
            }
            CampaignState::Draft | CampaignState::Scheduled => Standing::Scheduled {
                opens: self.moment(self.campaign.opens_at.unwrap_or(self.campaign.created_at)),
            },
            CampaignState::Open if self.takes_orders(now) => Standing::Open,
            CampaignState::Open => Standing::Collecting { judged: false },
            CampaignState::Collecting => Standing::Collecting { judged: true },
            CampaignState::Ordered | CampaignState::Fulfilling | CampaignState::Completed => {
                Standing::Ordered {
                    sent: self.order_sent.map(|at| self.moment(at)),
                }
            }
            CampaignState::Failed => Standing::Failed(self.ending()),
        }
    }

    fn ending(&self) -> Ending {
        let back = self.given_back.unwrap_or_default();
        let failure = self.campaign.failure.unwrap_or(Failure::Cancelled);
        let judged = self.batch.as_ref().and_then(|b| b.judged_at);
        let at = match failure {
            Failure::Missed => judged.unwrap_or(self.campaign.updated_at),
            _ => self.campaign.updated_at,
        };
        Ending {
            reason: failure.as_str().to_owned(),
            said: match failure {
                Failure::Cancelled => self.campaign.failure_note.clone(),
                _ => None,
            },
            without: self
                .why
                .iter()
                .flat_map(Why::not_made)
                .map(|option| {
                    let name = option.name(&self.draft).to_owned();
                    (name, option.units, option.minimum)
                })
                .collect(),
            at: self.moment(at),
            orders: back.orders,
            refunded_orders: back.done,
            refunded: self.say(back.refunded),
            paying: self.paying(),
        }
    }

    /// How it is paid: what is left over from stock, at once.
    pub fn paying(&self) -> Paying {
        if self.on_sale.is_some() {
            Paying::Now
        } else {
            paying(&self.draft)
        }
    }

    fn charging(&self) -> Charging {
        let short = self.batch.as_ref().and_then(|batch| batch.short_until);
        match &self.batch {
            Some(batch) if batch.collecting_since.is_some() && batch.collected_at.is_none() => {
                short.map_or(Charging::Now, |until| Charging::Short(self.moment(until)))
            }
            _ => Charging::Done,
        }
    }

    /// What can be waited for: the price of each step in turn (domain section 3).
    fn limits(&self) -> Vec<Choice> {
        if self.paying() != Paying::OnSuccess || self.draft.steps.len() < 2 {
            return Vec::new();
        }
        let first = self.draft.options.first();
        let one = self.draft.options.len() == 1;
        let mut all = vec![Choice::new("0", "In any case")];
        for (at, from) in self.draft.steps.counts().iter().enumerate().skip(1) {
            let price = first.map_or_else(String::new, |o| self.say(o.prices.price_at(at)));
            let of = match first {
                Some(option) if !one => format!(" for {}", option.name),
                _ => String::new(),
            };
            let label = format!(
                "Only if it gets that cheap: from {} units, {price}{of}",
                grouped(*from)
            );
            all.push(Choice::new(at.to_string(), label));
        }
        all
    }

    /// What the page after the form shows, and what its button does.
    fn form_promise(&self) -> String {
        let shows = "The next page shows the total with shipping and tax";
        let day = self.moment(ends_at(&self.campaign)).day();
        match self.paying() {
            Paying::Now => format!("{shows}, and a button that pays."),
            Paying::OnSuccess => format!(
                "{shows}, and a button that orders: your card is saved then, and charged only if it comes together, after {day}."
            ),
            Paying::Deposit { percent, .. } => format!(
                "{shows}, and a button that orders: {percent} % is paid then, the rest when the goods arrive."
            ),
        }
    }

    /// What a shopper's money does.
    pub fn money_plan(&self) -> MoneyPlan {
        MoneyPlan {
            threshold: threshold_words(&self.draft),
            deadline: self.moment(ends_at(&self.campaign)),
            at_threshold: self.draft.trigger == Trigger::AtThreshold,
            minimums: self.draft.options.iter().any(|o| o.minimum.is_some()),
            ships_by: Day(self.draft.promised_ship_date),
            ships_now: match self.said_last {
                _ if self.given_up => ShipsNow::Never,
                Some(Some(day)) => ShipsNow::On(Day(day)),
                Some(None) => ShipsNow::NotKnown,
                None => ShipsNow::AsPromised,
            },
            policy: self.draft.delay_policy,
            last_day: Some(Day(self.draft.stop_loss_date)),
            from_stock: self
                .on_sale
                .as_ref()
                .map(|_| self.draft.handling_days.into()),
            paying: self.paying(),
            charging: self.charging(),
        }
    }

    /// Time left, while it is open or scheduled.
    pub fn countdown(&self, now: DateTime<Utc>) -> Option<Countdown> {
        match self.standing(now) {
            Standing::Open => {
                let mut count = Countdown::closes(now, self.moment(self.campaign.deadline));
                if self.campaign.extended_at.is_some() {
                    count.after = "It was extended once, and cannot be moved again.";
                }
                Some(count)
            }
            Standing::Scheduled { opens }
            | Standing::Interest {
                opens: Some(opens), ..
            } => Some(Countdown::opens(now, opens)),
            _ => None,
        }
    }

    /// When its page says something else without anybody having done anything: joining begins or ends.
    pub fn next_turn(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        [self.campaign.opens_at, Some(self.campaign.deadline)]
            .into_iter()
            .flatten()
            .map(|at| at.and_utc())
            .filter(|at| *at > now)
            .min()
    }

    fn shipping(&self) -> Vec<ShippingRow> {
        let rows = self.draft.shipping.iter().map(|rule| {
            let names = rule.countries.iter().map(|area| match area {
                Area::Country(country) => country.name(),
                Area::Rest => "All other countries",
            });
            let names: Vec<&str> = names.collect();
            let price = |amount| match amount {
                0 => "free".to_owned(),
                amount => self.say(amount),
            };
            ShippingRow {
                countries: names.join(", "),
                price: match rule.bands.is_empty() {
                    true => price(rule.price),
                    false if rule.least() == 0 => "free at first".to_owned(),
                    false => format!("from {}", price(rule.least())),
                },
                bands: self.bands(rule),
            }
        });
        rows.collect()
    }

    /// A rule's bands in words, and what is above them.
    fn bands(&self, rule: &ShippingRule) -> Vec<String> {
        let mut words: Vec<String> = Vec::with_capacity(rule.bands.len() + 1);
        let size = |(measure, most)| match measure {
            Measure::Units => plural(most, "unit"),
            Measure::Grams => weight(most),
        };
        for band in &rule.bands {
            let price = match rule.price.saturating_add(band.price) {
                0 => "free".to_owned(),
                amount => self.say(amount),
            };
            words.push(match band.bound() {
                Some(bound) => format!("{price} up to {}", size(bound)),
                None => format!("{price} above that"),
            });
        }
        if let Some(bound) = rule.bands.last().and_then(Band::bound) {
            words.push(format!("not shipped above {}", size(bound)));
        }
        words
    }

    /// The join form, filled in with what was typed.
    pub fn form(&self, input: &JoinInput, problems: &Problems) -> JoinForm {
        let offer = JoinOffer {
            slug: self.campaign.slug.clone(),
            options: self.option_rows(),
            countries: countries(&self.draft),
            seller: seller(&self.merchant),
            terms: terms(&self.merchant),
            from_stock: self.on_sale.is_some(),
            promise: self.form_promise(),
            limits: self.limits(),
        };
        JoinForm::new(offer, input, problems)
    }

    /// What moves on its page while it is looked at.
    pub fn live(&self, now: DateTime<Utc>) -> CampaignLive {
        CampaignLive {
            state: self.campaign.state.as_str().to_owned(),
            steps: self.steps(now),
            meter: self.meter(),
            options: self.option_rows(),
            from_stock: self.on_sale.is_some(),
        }
    }

    /// Its page, with the form filled in where one is given.
    pub fn page(
        &self,
        shell: Shell,
        now: DateTime<Utc>,
        flows: Flows,
        earlier: (i64, i64),
        typed: (&JoinInput, Problems),
    ) -> CampaignPage {
        let slug = self.campaign.slug.clone();
        let (input, problems) = typed;
        let moving = !matches!(
            self.campaign.state,
            CampaignState::Failed | CampaignState::Completed
        );
        CampaignPage {
            shell: shell.of_seller(&self.merchant.slug),
            title: self.campaign.title.clone(),
            state: self.campaign.state.as_str().to_owned(),
            standing: self.standing(now),
            batches: self.batch_part(now),
            description: Html::sanitized(markdown_to_html(&self.draft.description)),
            pictures: self.pictures.iter().map(picture).collect(),
            seller: seller(&self.merchant),
            steps: self.steps(now),
            meter: self.meter(),
            countdown: self.countdown(now),
            money: self.money_plan(),
            options: self.option_rows(),
            from_stock: self.on_sale.is_some(),
            form: self.sells(now).then(|| self.form(input, &problems)),
            interest: self.interest_form(&InterestInput::default(), &Problems::default(), now),
            problems,
            shipping: self.shipping(),
            record: Some(Record {
                earlier: earlier.0,
                earlier_refunded: earlier.1,
                collected: self.say(flows.collected),
                refunded: self.say(flows.refunded),
                order_sent: self.order_sent.map(|at| self.moment(at)),
            }),
            updates: self.updates.shown(self.zone()),
            earlier_updates: self.updates.earlier(&slug),
            quiet: signs::quiet(&self.campaign, self.waits, now)
                .filter(|(_, days)| *days >= signs::SHOWN_AFTER)
                .map(|(since, days)| (self.moment(since), plural(days, "day"))),
            events: moving.then(|| format!("/c/{slug}/events")),
            slug,
        }
    }
}
