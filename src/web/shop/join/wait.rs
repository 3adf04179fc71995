//! From the form to a place on the waiting list: what is waited for is shown once, then it is put on the list.

use super::*;
use crate::web::view::WaitPage;

impl Desk<'_> {
    /// `step=wait`: the page that shows what is waited for, or, sent from there, the place on the list.
    pub(super) async fn wait(&mut self, checked: Checked, placing: bool) -> HttpResponse {
        if !placing {
            if self.sold_out(&checked).is_none() {
                // There is room: nobody has to wait.
                return self
                    .review(&checked, StatusCode::OK, None, Vec::new())
                    .await;
            }
            if let Some(problems) = self.not_sold_out(&checked) {
                return self.form(StatusCode::CONFLICT, problems).await;
            }
            return self.wait_page(&checked, StatusCode::OK, Vec::new()).await;
        }
        if let Err(too_many) = allow(self.request, Limit::Join, self.client) {
            let said = of_the_whole(
                "Too many orders came from your network in a minute. Press the button again later.",
            );
            let status = StatusCode::TOO_MANY_REQUESTS;
            let answer = self.wait_page(&checked, status, vec![said]).await;
            return trouble::again_in(answer, too_many.retry_after);
        }
        let wish = JoinRequest {
            waits: Waits::Only,
            agreed_total: None,
            ..self.wish(&checked)
        };
        match self.shop.office.join(wish).await {
            Ok(placed) => {
                let token = self.shop.office.desk().links.order_token(placed.order.id);
                see_other(&format!("/o/{}?t={token}", placed.order.id))
            }
            Err(Problem::Conflict {
                kind: "not-sold-out",
                ..
            }) => {
                match read(self.shop, &self.facts.campaign.slug).await {
                    Ok(Some(facts)) => self.facts = facts,
                    Ok(None) => return trouble::page(self.shell(), &Problem::NotFound("campaign")),
                    Err(e) => return trouble::page(self.shell(), &e),
                }
                self.review(&checked, StatusCode::OK, None, Vec::new())
                    .await
            }
            Err(problem) => self.refused(checked, problem).await,
        }
    }

    /// What cannot be waited for, because some of it is there.
    fn not_sold_out(&self, checked: &Checked) -> Option<Problems> {
        let mut problems = Problems::default();
        for (sku, quantity) in &checked.lines {
            let row = self.facts.options.iter().find(|o| o.sku == *sku)?;
            let say = match self.facts.available(row) {
                Some(0) => continue,
                Some(left) if left < *quantity => format!(
                    "There are {} left. Choose fewer; only what is sold out can be waited for.",
                    grouped(left)
                ),
                _ => {
                    "This is not sold out. Order it by itself, and wait for the rest alone.".into()
                }
            };
            problems.add(format!("qty_{sku}"), say);
        }
        (!problems.is_empty()).then_some(problems)
    }

    async fn wait_page(
        &self,
        checked: &Checked,
        status: StatusCode,
        problems: Vec<FieldError>,
    ) -> HttpResponse {
        let priced = match self.price(checked) {
            Ok(priced) => priced,
            Err((field, why)) => {
                let problems = one(field, &why);
                return self.form(StatusCode::UNPROCESSABLE_ENTITY, problems).await;
            }
        };
        let facts = &self.facts;
        let mut money = self.table(checked, &priced);
        money.caption = "What it would cost now".to_owned();
        let page = WaitPage {
            shell: self.shell().of_seller(&facts.merchant.slug),
            title: facts.campaign.title.clone(),
            slug: facts.campaign.slug.clone(),
            money,
            deadline: facts.moment(ends_at(&facts.campaign)),
            seller: seller(&facts.merchant),
            terms: terms(&facts.merchant),
            address: address(checked),
            email: checked.email.clone(),
            fields: self.sent.input.pairs(),
            form_key: self.sent.form_key.clone().unwrap_or_else(new_key),
            problems,
        };
        private(status, &page)
    }
}
