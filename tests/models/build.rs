//! Switches the sources of tracing-handlers to the primitives of the models.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(tracing_handlers_models)");
    println!("cargo::rustc-cfg=tracing_handlers_models");
}
