//! Names of campaigns that were looked up. A name keeps its campaign once it is public; the workflow that is given one
//! looks again whether it still has it.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use crate::domain::ids::CampaignId;

/// How many are remembered.
const MOST: usize = 4096;

/// Names of public campaigns.
#[derive(Debug, Default)]
pub struct Names(RwLock<HashMap<String, CampaignId>>);

impl Names {
    /// The campaign of this name, if it was looked up.
    pub fn find(&self, slug: &str) -> Option<CampaignId> {
        let names = self.0.read().unwrap_or_else(PoisonError::into_inner);
        names.get(slug).copied()
    }

    /// Remembers a name.
    pub fn keep(&self, slug: &str, campaign: CampaignId) {
        let mut names = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if names.len() >= MOST {
            names.clear();
        }
        names.insert(slug.to_owned(), campaign);
    }

    /// Forgets a name that turned out to be another campaign's, or nobody's.
    pub fn forget(&self, slug: &str) {
        let mut names = self.0.write().unwrap_or_else(PoisonError::into_inner);
        names.remove(slug);
    }
}
