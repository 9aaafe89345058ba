//! OSUpdateStatus: ask how far the update has come.

use crate::wire::message;

message! {
    /// Ask how far the update has come.
    ///
    /// Gone in 27.0; older tablets answer it.
    pub struct OSUpdateStatus {}
}

message! {
    /// What the tablet answers.
    pub struct OSUpdateStatusAnswer {
        required {
            /// How far each update has come.
            os_update_status: Vec<UpdateProgress> = "OSUpdateStatus",
        }
    }
}

message! {
    /// How far an update has come.
    pub struct UpdateProgress {
        expected {
            /// The update's key.
            product_key: String = "ProductKey",
            /// It is downloaded.
            is_downloaded: bool = "IsDownloaded",
            /// From 0 to 1.
            download_percent_complete: f64 = "DownloadPercentComplete",
            /// How far it has come.
            status: String = "Status",
        }
    }
}
