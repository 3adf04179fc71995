//! What the example's shoppers would buy and would like to see next: answers to an interest check, and votes.

use super::offers::Offer;
use super::{Filler, PEOPLE, said};
use crate::domain::ids::{CampaignId, MerchantId};
use crate::domain::slug::slugify;
use crate::store::{campaigns, ideas as rows, interest as answers};
use crate::workflows::desk::Problem;
use crate::workflows::ideas::{self, Written};
use crate::workflows::interest::{self, NewAnswer, WishLine};

/// An idea of the example: what it is, what it would be, and how many voted for it.
pub type Idea = (&'static str, &'static str, usize);

/// What people would pay, in percent of the first price: few all of it, most somewhat less, some hope for much less.
const WOULD_PAY: [i64; 16] = [
    100, 85, 90, 75, 95, 80, 90, 70, 85, 100, 88, 60, 80, 92, 78, 50,
];
/// How many they would take.
const WOULD_TAKE: [i64; 7] = [1, 1, 2, 1, 3, 1, 2];

/// The address of the person with this index, another one each time round.
fn address(i: usize) -> (String, &'static str) {
    let (name, ..) = PEOPLE[i % PEOPLE.len()];
    let mailbox = slugify(name).replace('-', ".");
    (format!("{mailbox}{}@mail.example", i / PEOPLE.len()), name)
}

impl Filler<'_> {
    /// So many people say what they would buy; one takes it back.
    pub(super) async fn answers(
        &self,
        offer: &'static Offer,
        campaign: CampaignId,
    ) -> Result<(), String> {
        let office = &self.running.app.office;
        office
            .write(move |desk, tx| -> Result<(), Problem> {
                let row =
                    campaigns::by_id(tx.conn, campaign)?.ok_or(Problem::NotFound("campaign"))?;
                for i in 0..offer.would_buy {
                    let (email, name) = address(i);
                    let (sku, _, prices, ..) = offer.options[(i / 2) % offer.options.len()];
                    let percent = WOULD_PAY[i % WOULD_PAY.len()];
                    let new = NewAnswer {
                        email,
                        name: (i % 3 > 0).then(|| name.to_owned()),
                        lines: vec![WishLine {
                            sku: sku.to_owned(),
                            quantity: WOULD_TAKE[i % WOULD_TAKE.len()],
                            // People name round prices.
                            up_to: prices[0] * percent / 100 / 100 * 100,
                        }],
                    };
                    interest::answer(desk, tx, &row.slug, &new)?;
                }
                if let Some(first) = answers::of_campaign(tx.conn, campaign, None, 1)?.first() {
                    interest::take_back(tx, first.id)?;
                }
                Ok(())
            })
            .await
            .map_err(|e| said(offer.title, &e))?;
        self.settle().await
    }

    /// The merchant's ideas, with their votes; the last voter of each has not confirmed.
    pub(super) async fn ideas(
        &self,
        merchant: MerchantId,
        all: &'static [Idea],
    ) -> Result<(), String> {
        let office = &self.running.app.office;
        for (title, body, votes) in all {
            office
                .write(move |desk, tx| -> Result<(), Problem> {
                    let written = Written {
                        title: (*title).to_owned(),
                        body: (*body).to_owned(),
                    };
                    let idea = ideas::add(tx, merchant, &written)?;
                    for i in 0..=*votes {
                        let (email, _) = address(i + title.len());
                        ideas::vote(desk, tx, merchant, idea.id, &email, i % 2 == 0)?;
                        let vote = rows::vote_of(tx.conn, idea.id, &email)?;
                        if let Some(vote) = vote.filter(|_| i < *votes) {
                            ideas::confirm(tx, vote.id, vote.tells)?;
                        }
                    }
                    Ok(())
                })
                .await
                .map_err(|e| said(title, &e))?;
        }
        self.settle().await
    }
}
