// Runs the variation once the page has told us what is in the basket.
module.exports = function triggers (options, cb) {
  options.uv.once('ecBasketSummary', function (event) {
    options.state.set('basket', event.basket)
    cb(event.basket.quantity > 0)
  }).replay() // the page may have told it before we listened
}
