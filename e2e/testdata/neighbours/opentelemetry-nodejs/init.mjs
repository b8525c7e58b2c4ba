// As OpenTelemetry's: reads its settings in the function's process, before the
// handler is loaded.
const unresolved = (process.env.OTEL_EXPORTER_OTLP_HEADERS ?? "secretsmanager://").includes("secretsmanager://");
process.env.NEIGHBOUR = `opentelemetry ${unresolved ? "unresolved" : "resolved"}`;
