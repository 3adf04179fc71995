//! State words: an enum whose variants are spelled the same on pages, in the API and in the database.

/// A value that is not a word of its enum: what was read, and what it should have been one of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} is not a {of}")]
pub struct UnknownWord {
    /// The enum's name.
    pub of: &'static str,
    /// What was read.
    pub found: String,
}

/// An event that does not fit the state it met. Terminal means terminal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} is {state}: {event} does not apply")]
pub struct WrongState {
    /// What was to change, such as "order".
    pub what: &'static str,
    /// The state it is in.
    pub state: &'static str,
    /// The event that was refused.
    pub event: String,
}

/// Declares an enum of words with `as_str`, `ALL`, `Display`, `FromStr` and serde in the same spelling.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant),+
        }

        impl $name {
            /// Every word, in the order of a life.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The word as pages, API and database spell it.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::domain::words::UnknownWord;

            fn from_str(s: &str) -> Result<Self, Self::Err> {
                match s {
                    $($word => Ok($name::$variant),)+
                    other => Err($crate::domain::words::UnknownWord {
                        of: stringify!($name),
                        found: other.to_owned(),
                    }),
                }
            }
        }
    };
}
pub(crate) use words;
