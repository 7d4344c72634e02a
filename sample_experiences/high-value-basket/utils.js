module.exports = {
  // { value: 649.5, currency: 'EUR' } becomes "649.50 EUR"
  format: function format (money) {
    return `${money.value.toFixed(2)} ${money.currency}`
  }
}
