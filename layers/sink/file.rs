pub struct File;
pub struct FileOptions;
