//! What the public pages of campaigns are drawn from, read from the store.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use chrono::{NaiveDate, NaiveDateTime};

use super::updates;
use crate::domain::campaign::CampaignState;
use crate::domain::draft::{CampaignDraft, PaymentMode};
use crate::domain::ids::{CampaignId, MerchantId, OptionId};
use crate::domain::price::Tally;
use crate::domain::purchase_order::EtaState;
use crate::store::campaigns::{self, BatchRow, CampaignRow, OptionRow};
use crate::store::merchants::{self, MerchantRow};
use crate::store::misc::{self, PictureRow};
use crate::store::pages::{self, GivenBack};
use crate::store::waiting::{self, Waited};
use crate::store::{Conn, dues, etas, ideas, promises, purchase_orders};
use crate::workflows::batches;
use crate::workflows::desk::{Problem, offer};
use crate::workflows::judgement::{Why, current_step, tally_shown};
use crate::workflows::signs;
use crate::workflows::stock_sale;

/// A campaign with all that its public page says.
pub struct Facts {
    /// The index of the furthest step that committed orders reach, limits respected.
    pub current: usize,
    /// Whether anybody waits for its goods.
    pub waits: bool,
    /// Units that count for each step, where orders may wait for one; empty elsewhere.
    pub counted: Vec<i64>,
    /// The row.
    pub campaign: CampaignRow,
    /// The offer.
    pub draft: CampaignDraft,
    /// Its options with their counters.
    pub options: Vec<OptionRow>,
    /// Its pictures.
    pub pictures: Vec<PictureRow>,
    /// Who sells.
    pub merchant: MerchantRow,
    /// The batch that its state speaks of.
    pub batch: Option<BatchRow>,
    /// All its batches.
    pub batches: Vec<BatchRow>,
    /// How it was judged, once it was.
    pub why: Option<Why>,
    /// What its paid units come to.
    pub tally: Tally,
    /// Where it failed: what became of the money.
    pub given_back: Option<GivenBack>,
    /// When the supplier's order went out.
    pub order_sent: Option<NaiveDateTime>,
    /// What is waited for, option by option; none where there is no waiting list.
    pub waited: Option<Vec<Waited>>,
    /// What is sold from left-over stock; none where nothing is.
    pub on_sale: Option<HashMap<OptionId, i64>>,
    /// What the seller wrote last.
    pub updates: updates::Written,
    /// The ship date that was passed on last, if any was; none in it: not known.
    pub said_last: Option<Option<NaiveDate>>,
    /// Whether the seller said that the rest will not be shipped.
    pub given_up: bool,
}

/// The campaign with this address; none where the public does not see it.
///
/// # Errors
/// What the database says.
pub fn campaign(conn: &mut Conn, slug: &str) -> Result<Option<Facts>, Problem> {
    let Some(campaign) = campaigns::by_slug(conn, slug)?.filter(|c| c.state.is_public()) else {
        return Ok(None);
    };
    facts(conn, campaign).map(Some)
}

/// All about a campaign.
///
/// # Errors
/// What the database says.
pub fn facts(conn: &mut Conn, campaign: CampaignRow) -> Result<Facts, Problem> {
    let merchant =
        merchants::by_id(conn, campaign.merchant_id)?.ok_or(Problem::NotFound("merchant"))?;
    let draft = offer(&campaign)?;
    let all = campaigns::batches_of(conn, campaign.id)?;
    let batch = batches::shown(&all, campaign.state).cloned();
    let tally = tally_shown(conn, &campaign, &draft)?;
    let given_back = if campaign.state == CampaignState::Failed {
        Some(pages::given_back(conn, campaign.id)?)
    } else {
        None
    };
    let order_sent = match &batch {
        Some(batch) if went_out(campaign.state) => purchase_orders::of_batch(conn, batch.id)?
            .iter()
            .filter_map(|po| po.sent_at)
            .max(),
        _ => None,
    };
    let said_last = match &batch {
        Some(batch) if went_out(campaign.state) => etas::of_batch(conn, batch.id)?
            .iter()
            .rfind(|eta| eta.state == EtaState::PassedOn)
            .map(|eta| eta.ship_date),
        _ => None,
    };
    let given_up = match &batch {
        Some(batch) if went_out(campaign.state) => promises::given_up(conn, batch.id)?.is_some(),
        _ => false,
    };
    let lists = campaign.state == CampaignState::Open && campaign.closed_at.is_none();
    let waited = match lists {
        true => Some(waiting::waited(conn, campaign.id)?),
        false => None,
    };
    Ok(Facts {
        waited,
        current: current_step(conn, &campaign, &draft)?,
        waits: signs::waits(conn, &campaign)?,
        counted: counted_by_step(conn, campaign.id, &draft)?,
        on_sale: stock_sale::on_sale(conn, &campaign)?,
        updates: updates::read(conn, campaign.id, None, updates::SHOWN)?,
        options: batches::options_shown(conn, &campaign, batch.as_ref())?,
        pictures: misc::pictures_of(conn, campaign.id)?,
        campaign,
        draft,
        merchant,
        why: batch.as_ref().map(Why::read).transpose()?.flatten(),
        batch,
        batches: all,
        tally,
        given_back,
        order_sent,
        said_last,
        given_up,
    })
}

/// Units that count for each step: those of all orders, but for those that wait for a later one. Empty where none can
/// wait.
///
/// # Errors
/// What the database says.
pub fn counted_by_step(
    conn: &mut Conn,
    campaign: CampaignId,
    draft: &CampaignDraft,
) -> Result<Vec<i64>, Problem> {
    if draft.payment_mode != PaymentMode::ChargeOnSuccess {
        return Ok(Vec::new());
    }
    let by_limit = dues::limits_of(conn, campaign)?;
    let mut sum = 0;
    let counted = (0..draft.steps.len()).map(|at| {
        let mine = by_limit
            .iter()
            .filter(|(step, _)| usize::try_from(*step) == Ok(at));
        sum += mine.map(|(_, units)| units).sum::<i64>();
        sum
    });
    Ok(counted.collect())
}

fn went_out(state: CampaignState) -> bool {
    matches!(
        state,
        CampaignState::Ordered | CampaignState::Fulfilling | CampaignState::Completed
    )
}

/// What a kept page of a campaign depends on; none where the public does not see it.
///
/// # Errors
/// What the database says.
pub fn campaign_print(conn: &mut Conn, slug: &str) -> Result<Option<u64>, Problem> {
    let Some((id, version, merchant)) = pages::published(conn, slug)? else {
        return Ok(None);
    };
    let mut hash = DefaultHasher::new();
    version.hash(&mut hash);
    for picture in misc::pictures_of(conn, id)? {
        (picture.file, picture.alt).hash(&mut hash);
    }
    if let Some(merchant) = merchants::by_id(conn, merchant)? {
        hash_merchant(&merchant, &mut hash);
    }
    Ok(Some(hash.finish()))
}

/// What a merchant's kept page depends on.
///
/// # Errors
/// What the database says.
pub fn merchant_print(conn: &mut Conn, slug: &str) -> Result<Option<u64>, Problem> {
    let Some(merchant) = merchants::by_slug(conn, slug)? else {
        return Ok(None);
    };
    let mut hash = DefaultHasher::new();
    hash_merchant(&merchant, &mut hash);
    pages::pulse(conn, Some(merchant.id))?.hash(&mut hash);
    ideas::pulse(conn, merchant.id)?.hash(&mut hash);
    Ok(Some(hash.finish()))
}

/// What the kept list of campaigns depends on.
///
/// # Errors
/// What the database says.
pub fn home_print(conn: &mut Conn) -> Result<Option<u64>, Problem> {
    let mut hash = DefaultHasher::new();
    pages::pulse(conn, None)?.hash(&mut hash);
    Ok(Some(hash.finish()))
}

fn hash_merchant(m: &MerchantRow, hash: &mut DefaultHasher) {
    (&m.slug, &m.name, &m.email, &m.address).hash(hash);
    (&m.imprint, &m.terms, &m.privacy, m.terms_version).hash(hash);
}

/// What a merchant's journal says of everything so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Flows {
    /// Captured, in minor units.
    pub collected: i64,
    /// Gone back, in minor units.
    pub refunded: i64,
}

/// Sums over a merchant's whole journal, kept for a minute: they grow with its orders, and pages must not.
#[derive(Default)]
pub struct Records {
    kept: Mutex<HashMap<(MerchantId, String), (Instant, Flows)>>,
}

const KEPT_FOR: Duration = Duration::from_secs(60);

impl Facts {
    /// What is waited for of an option; none where there is no waiting list.
    pub fn waited(&self, option: OptionId) -> Option<Waited> {
        let list = self.waited.as_ref()?;
        let found = list.iter().find(|w| w.option == option);
        Some(found.copied().unwrap_or(Waited {
            option,
            orders: 0,
            units: 0,
        }))
    }
}

impl Records {
    /// The sums in one currency.
    ///
    /// # Errors
    /// What the database says.
    pub fn of(
        &self,
        conn: &mut Conn,
        merchant: MerchantId,
        currency: &str,
    ) -> Result<Flows, Problem> {
        let key = (merchant, currency.to_owned());
        let lock = || match self.kept.lock() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        };
        if let Some((at, flows)) = lock().get(&key)
            && at.elapsed() < KEPT_FOR
        {
            return Ok(*flows);
        }
        let (collected, refunded) = pages::flows(conn, merchant, currency)?;
        let flows = Flows {
            collected,
            refunded,
        };
        let mut kept = lock();
        if kept.len() > 1000 {
            kept.clear();
        }
        kept.insert(key, (Instant::now(), flows));
        Ok(flows)
    }
}

/// The first picture of each campaign.
///
/// # Errors
/// What the database says.
pub fn covers(
    conn: &mut Conn,
    ids: &[CampaignId],
) -> Result<HashMap<CampaignId, PictureRow>, Problem> {
    let mut covers = HashMap::new();
    if ids.is_empty() {
        return Ok(covers);
    }
    for picture in misc::pictures_of_all(conn, ids)? {
        covers.entry(picture.campaign_id).or_insert(picture);
    }
    Ok(covers)
}
