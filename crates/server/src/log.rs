//! The log: `tracing`, to standard error, for people or for machines.
//!
//! What may stand in it is decided where it is written: ids and kinds, never a body, a name or a secret.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{LogFormat, LogSettings};

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter is none.
    #[error("log.filter: {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// The process has a log already.
    #[error("the log was started before: {0}")]
    Started(#[from] tracing_subscriber::util::TryInitError),
}

/// Starts the log of the process.
///
/// # Errors
/// [`LogError`].
pub fn start(settings: &LogSettings) -> Result<(), LogError> {
    Ok(subscriber(settings, std::io::stderr)?.try_init()?)
}

fn subscriber(
    settings: &LogSettings,
    writer: impl for<'w> MakeWriter<'w> + Send + Sync + 'static,
) -> Result<Box<dyn tracing::Subscriber + Send + Sync>, LogError> {
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_new(&settings.filter)?)
        .with_ansi(false)
        .with_writer(writer);
    Ok(match settings.format {
        LogFormat::Text => Box::new(builder.finish()),
        LogFormat::Json => Box::new(builder.json().flatten_event(true).finish()),
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn written(format: LogFormat, filter: &str) -> String {
        let page = Page::default();
        let copy = page.clone();
        let settings = LogSettings { format, filter: filter.to_owned() };
        let subscriber = subscriber(&settings, move || copy.clone()).unwrap();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(tablets = 3, "counted");
            tracing::debug!("unheard");
        });
        let bytes = page.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn a_line_for_machines_is_one_json_object() {
        let line = written(LogFormat::Json, "info");
        let event: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!((event["message"].as_str(), event["tablets"].as_i64()), (Some("counted"), Some(3)));
    }

    #[test]
    fn the_filter_decides_what_is_heard() {
        let text = written(LogFormat::Text, "info");
        assert!(text.contains("counted") && !text.contains("unheard"), "{text}");
        assert_eq!(written(LogFormat::Text, "warn"), "");
    }
}
