//! View models: one struct per page, one per component, each with its template.
//!
//! Rules kept here:
//! - money comes in as text that is ready to be shown ("$96.50", minus sign U+2212), times as UTC with the zone they are
//!   told in; a view never computes an amount;
//! - what a struct does not carry is not on the page;
//! - everything is escaped by askama; the one way around is [`Html`], which is only made from sanitized text;
//! - a component ([`Badge`], [`Steps`], [`Meter`]...) is `HtmlSafe`, so `{{ meter }}` draws it, and `meter.to_string()` is
//!   the fragment that `static/live.js` puts in its place when it moves.

mod after;
mod campaign;
mod change;
mod delay;
mod demand;
mod field;
mod home;
mod ideas;
mod interest;
mod join;
mod merchant;
mod order;
mod paper;
mod parts;
mod paying;
mod refusal;
mod shell;
mod steps;
mod supplier;
mod time;
mod updates;
mod waiting;

#[cfg(test)]
#[path = "tests/gallery.rs"]
mod gallery;

pub use after::{
    AfterPart, EditPage, OrderForm, ReportPage, ShownClaim, WithdrawOffer, WithdrawPage,
};
pub use campaign::{
    BatchLine, BatchPart, CampaignLive, CampaignPage, Ending, MoneyPlan, Record, ShippingRow,
    ShipsNow, Standing,
};
pub use change::{ChangePage, ChangePart, ChangeReviewPage, ParcelFields};
pub use delay::{
    CancelInstead, DelayOffer, DelayOutcome, DelayPage, DelayStand, PromiseRow, PromiseTable,
    SilenceSaid, cancel_words,
};
pub use demand::{DemandChart, Planned};
pub use field::{Choice, Control, Field, FieldError, Problems};
pub use home::{EndedRow, Featured, HomePage, Offer, Sort};
pub use ideas::{IdeaCard, IdeaPage, IdeaStand, VotePage};
pub use interest::{
    AnswerPage, AnswerStand, AskedSentPage, InterestForm, InterestInput, InterestOffer, Sent,
};
pub use join::{JoinForm, JoinInput, JoinOffer, OptionRow, ReviewPage, Seller, TermsRef};
pub use merchant::{MerchantPage, TermsPage, TrustRow};
pub use order::{
    CancelOffer, CancelPage, LinkAgainPage, LinkSentPage, MailProblem, OrderEnd, OrderGoods,
    OrderPage, ParcelCard, PayOffer, QueuePage, ThanksPage,
};
pub use paper::{Sheet, SheetLine, SheetPage};
pub use parts::{
    Badge, Empty, Link, Meter, MoneyRow, MoneyTable, Pager, Picture, Tone, sprite, state_word,
};
pub use paying::{Asked, Charging, DuePart, Paying};
pub use refusal::RefusalPage;
pub use shell::{Html, NavItem, PANEL_NAV, PanelShell, Shell, Theme};
pub use steps::{StepRow, Steps, StepsPhase};
pub use supplier::{
    GivenDate, PoDocument, PoLine, PurchaseOrderPage, RejectPage, SupplierPage, SupplierState,
};
pub use time::{
    Countdown, Day, Moment, Timeline, TimelineItem, TimelineState, grouped, left, plural, weight,
};
pub use updates::{Update, UpdatesPage};
pub use waiting::{OfferPart, WaitPage, WaitingPage};
