// Follows up three hours after a request for a quote, while the visitor's office is open.
module.exports = function variation (options) {
  // These defaults stand for every call below; a call can give its own.
  const crm = options.integration('webhook', {
    window: { day: 'monday-friday', time: '09:00-17:00' } // no zone: the visitor's own
  })

  options.uv.once('quoteRequested', function (quote) {
    crm.schedule({ task: 'follow-up', quote: quote.id }, {
      key: { quote: quote.id },
      delay: '3 hours',
      ifExists: 'keep' // asking twice for one quote does not move the follow-up
    })
      .then(function (execution) {
        options.log.info(`Follow-up on ${quote.id} at ${execution.time}`)
      })
      .catch(function (err) {
        options.log.error(`No follow-up on ${quote.id}: ${err.message}`)
      })
  }).replay()
}
