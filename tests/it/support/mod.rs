//! What the tests stand on: a database of their own, on both kinds of server, and a browser.

pub mod browser;
pub mod cards;
pub mod database;
mod driver;
pub mod life;
pub mod office;
pub mod provider;
pub mod shop;
#[cfg(feature = "postgres")]
pub mod wire;

/// Runs each test on both databases, as `name::sqlite` and `name::postgres`.
///
/// ```ignore
/// both_databases! {
///     async fn a_cancelled_order_is_refunded_in_full(db: TestDatabase) { ... }
/// }
/// ```
macro_rules! both_databases {
    ($($(#[$meta:meta])* async fn $name:ident($db:ident: $ty:ty) $body:block)+) => {$(
        $(#[$meta])*
        async fn $name($db: $ty) $body

        // A module and a function of one name live side by side.
        mod $name {
            #[actix_web::test]
            async fn sqlite() {
                super::$name($crate::support::database::TestDatabase::sqlite()).await;
            }

            #[cfg(feature = "postgres")]
            #[actix_web::test]
            async fn postgres() {
                super::$name($crate::support::database::TestDatabase::postgres()).await;
            }
        }
    )+};
}
