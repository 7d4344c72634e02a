// Has another system called about a basket that was left behind, in two hours; a purchase calls it off.
module.exports = async function variation (options) {
  // The name is the visitor's own: the same one, used again, replaces what is still pending under it
  const name = 'cart_reminder'

  const planned = await App('utils/scheduler', {
    action: 'webhook',
    delay: '2 hrs',
    url: 'https://shop.example.com/reminders?token=abc123',
    body: { visitor: options.meta.visitorId, items: options.data.items },
    schedule_id: name
  })
  if (planned.success) options.log.info(`The shop is called at ${planned.result.scheduled_at}`)
  else options.log.error(`Nothing is planned: ${planned.error.message}`)

  options.uv.once('ecBasketTransactionSummary', async () => {
    const { result } = await App('utils/scheduler', { action: 'cancel', schedule_id: name })
    options.log.info(result.cancelled ? 'Called off' : 'There was nothing to call off')
  })
}
