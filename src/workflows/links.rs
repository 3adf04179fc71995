//! Signed links: who has the link may see the page behind it. The signature is made with the server's secret, so a
//! link needs no row and cannot be guessed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::domain::ids::{InterestId, NoticeId, OrderId, PurchaseOrderId, VoteId};

/// Makes and checks signed links, and knows the server's address.
#[derive(Clone)]
pub struct Links {
    public_url: String,
    secret: Vec<u8>,
}

/// Bytes of a signature that are kept in a link: 128 bits.
const SIGNATURE: usize = 16;

impl Links {
    /// Links on this public address (without a slash at its end), signed with this secret.
    pub fn new(public_url: &str, secret: &[u8]) -> Self {
        Self {
            public_url: public_url.trim_end_matches('/').to_owned(),
            secret: secret.to_vec(),
        }
    }

    /// The server's address.
    pub fn server(&self) -> &str {
        &self.public_url
    }

    /// The full address of a path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.public_url)
    }

    fn sign(&self, purpose: &str, of: &[u8]) -> [u8; SIGNATURE] {
        // HMAC takes keys of any length.
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.secret)
            .unwrap_or_else(|_| unreachable!("HMAC takes keys of any length"));
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(of);
        let mut signature = [0; SIGNATURE];
        signature.copy_from_slice(&mac.finalize().into_bytes()[..SIGNATURE]);
        signature
    }

    /// The token of an order's page.
    pub fn order_token(&self, order: OrderId) -> String {
        URL_SAFE_NO_PAD.encode(self.sign("order", order.0.as_bytes()))
    }

    /// Whether a token opens this order's page.
    pub fn opens_order(&self, order: OrderId, token: &str) -> bool {
        URL_SAFE_NO_PAD.decode(token).is_ok_and(|given| {
            given
                .ct_eq(&self.sign("order", order.0.as_bytes())[..])
                .into()
        })
    }

    /// An order's page with its token.
    pub fn order_url(&self, order: OrderId) -> String {
        self.url(&self.order_path(order))
    }

    /// An order's page with its token, without the server.
    pub fn order_path(&self, order: OrderId) -> String {
        format!("/o/{order}?t={}", self.order_token(order))
    }

    /// The page of an order's receipt or credit note, with the order's token.
    pub fn receipt_url(&self, order: OrderId, number: &str) -> String {
        let token = self.order_token(order);
        self.url(&format!("/o/{order}/receipts/{number}?t={token}"))
    }

    /// The token of a supplier's view: it carries the purchase order and its version.
    pub fn supplier_token(&self, purchase_order: PurchaseOrderId, version: i32) -> String {
        let mut bytes = purchase_order.0.as_bytes().to_vec();
        bytes.extend_from_slice(&version.to_be_bytes());
        let signature = self.sign("supplier", &bytes);
        bytes.extend_from_slice(&signature);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The purchase order and version a supplier's token opens.
    pub fn opens_purchase_order(&self, token: &str) -> Option<(PurchaseOrderId, i32)> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        if bytes.len() != 16 + 4 + SIGNATURE {
            return None;
        }
        let (said, given) = bytes.split_at(20);
        if !bool::from(given.ct_eq(&self.sign("supplier", said)[..])) {
            return None;
        }
        let id = Uuid::from_slice(&said[..16]).ok()?;
        let version = i32::from_be_bytes(said[16..].try_into().ok()?);
        Some((PurchaseOrderId(id), version))
    }

    /// A supplier's view of its purchase order.
    pub fn supplier_url(&self, purchase_order: PurchaseOrderId, version: i32) -> String {
        self.url(&format!(
            "/s/{}",
            self.supplier_token(purchase_order, version)
        ))
    }

    /// The token of a delay notice's page: one per notice, and so one per order.
    pub fn notice_token(&self, notice: NoticeId) -> String {
        let mut bytes = notice.0.as_bytes().to_vec();
        bytes.extend_from_slice(&self.sign("notice", notice.0.as_bytes()));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The notice a token opens.
    pub fn opens_notice(&self, token: &str) -> Option<NoticeId> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        if bytes.len() != 16 + SIGNATURE {
            return None;
        }
        let (said, given) = bytes.split_at(16);
        if !bool::from(given.ct_eq(&self.sign("notice", said)[..])) {
            return None;
        }
        Uuid::from_slice(said).ok().map(NoticeId)
    }

    /// A token that carries an id and opens its page, signed for one purpose.
    fn id_token(&self, purpose: &str, id: Uuid) -> String {
        let mut bytes = id.as_bytes().to_vec();
        bytes.extend_from_slice(&self.sign(purpose, id.as_bytes()));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The id that such a token carries.
    fn opens_id(&self, purpose: &str, token: &str) -> Option<Uuid> {
        let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        if bytes.len() != 16 + SIGNATURE {
            return None;
        }
        let (said, given) = bytes.split_at(16);
        if !bool::from(given.ct_eq(&self.sign(purpose, said)[..])) {
            return None;
        }
        Uuid::from_slice(said).ok()
    }

    /// The path of what somebody answered to an interest check.
    pub fn interest_path(&self, interest: InterestId) -> String {
        format!("/i/{}", self.id_token("interest", interest.0))
    }

    /// The answer a token opens.
    pub fn opens_interest(&self, token: &str) -> Option<InterestId> {
        self.opens_id("interest", token).map(InterestId)
    }

    /// The path of a vote.
    pub fn vote_path(&self, vote: VoteId) -> String {
        format!("/v/{}", self.id_token("vote", vote.0))
    }

    /// The vote a token opens.
    pub fn opens_vote(&self, token: &str) -> Option<VoteId> {
        self.opens_id("vote", token).map(VoteId)
    }

    /// Key material for another purpose, such as the session cookie: 64 bytes.
    pub fn derive(&self, purpose: &str) -> [u8; 64] {
        let mut out = [0; 64];
        for (half, part) in out.chunks_mut(32).zip(0u8..) {
            let mut hash = Sha256::new();
            hash.update(&self.secret);
            hash.update([part]);
            hash.update(purpose.as_bytes());
            half.copy_from_slice(&hash.finalize());
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links() -> Links {
        Links::new("https://shop.example/", b"a secret of the server's own")
    }

    #[test]
    fn a_link_opens_its_own_order_only() {
        let (mine, other) = (OrderId::new(), OrderId::new());
        let token = links().order_token(mine);
        assert!(links().opens_order(mine, &token));
        assert!(!links().opens_order(other, &token));
        assert!(!links().opens_order(mine, ""));
        assert!(!links().opens_order(mine, "AAAA"));
        assert!(!Links::new("https://shop.example", b"another").opens_order(mine, &token));
    }

    #[test]
    fn a_notices_link_opens_its_own_notice_only() {
        let notice = NoticeId::new();
        let token = links().notice_token(notice);
        assert_eq!(links().opens_notice(&token), Some(notice));
        let order = links().order_token(OrderId(notice.0));
        assert_eq!(links().opens_notice(&order), None);
        let other = Links::new("https://shop.example", b"another");
        assert_eq!(other.opens_notice(&token), None);
        assert_eq!(links().opens_notice("nonsense"), None);
    }

    #[test]
    fn an_answers_link_opens_no_vote() {
        let id = InterestId::new();
        let path = links().interest_path(id);
        let token = path.strip_prefix("/i/").unwrap();
        assert_eq!(links().opens_interest(token), Some(id));
        assert_eq!(links().opens_vote(token), None);
        let other = Links::new("https://shop.example", b"another");
        assert_eq!(other.opens_interest(token), None);
    }

    #[test]
    fn a_suppliers_link_opens_one_version() {
        let order = PurchaseOrderId::new();
        let token = links().supplier_token(order, 2);
        assert_eq!(links().opens_purchase_order(&token), Some((order, 2)));
        let mut bent = token.clone();
        bent.replace_range(22..23, if &token[22..23] == "A" { "B" } else { "A" });
        assert_eq!(links().opens_purchase_order(&bent), None);
        assert_eq!(links().opens_purchase_order("nonsense"), None);
    }
}
