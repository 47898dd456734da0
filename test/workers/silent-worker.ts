/** A worker entry that never says that it is ready: what a model that takes for ever to load looks like. */
setInterval(() => {}, 1_000);
