<?php
/* SPDX-License-Identifier: MIT
 * php examples/php/vouch.php build/vouch.so OPTIONS.json
 *
 * One order from checkout to review. An adapter for PHP-FPM sets ffi.enable=true, opens at the first request of a
 * worker and at every request again (the same instance: it outlives FFI's dlclose), never in preload, starts no
 * threads, and leaves background work and vouch_take to `vouchctl run` and a cron job. Not called: step, then. */
declare(strict_types=1);

$vouch = FFI::cdef('
    typedef struct vouch vouch;
    int vouch_abi(void);
    int vouch_open(const char *options, vouch **module, char **reply);
    int vouch_emit(vouch *module, const char *event, size_t length, char **reply);
    int vouch_step(vouch *module, int budget_ms, char **reply);
    int vouch_take(vouch *module, int wait_ms, char **event);
    int vouch_ack(vouch *module, const char *event_id, char **reply);
    int vouch_serve(vouch *module, const char *request, size_t length, char **response);
    int vouch_stop(vouch *module, int deadline_ms, char **reply);
    int vouch_close(vouch *module);
    void vouch_free(char *text);', realpath($argv[1]));
if ($vouch->vouch_abi() !== 1) exit("another ABI\n");

/** The reply, decoded; a problem ends the script. */
function ask(string $name, ...$arguments): ?array {
    global $vouch;
    $reply = $vouch->new('char *');
    $code = $vouch->$name(...$arguments, ...[FFI::addr($reply)]);
    $text = FFI::isNull($reply) ? null : FFI::string($reply);  // FFI::string(NULL) is a crash
    $vouch->vouch_free($reply);
    if ($code < 0) { fwrite(STDERR, "$name: $code $text\n"); exit(1); }
    return $text === null ? null : json_decode($text, true, 64, JSON_THROW_ON_ERROR);
}
/** The id is derived from the fact, so that a repetition is recognised and free. */
function emit(string $type, string $fact, string $at, array $data): array {
    global $module;
    $event = json_encode(['specversion' => '1.0', 'id' => $fact, 'source' => '/php', 'type' => $type, 'time' => $at, 'data' => $data], JSON_THROW_ON_ERROR);
    return ask('vouch_emit', $module, $event, strlen($event)) ?? [];
}
function ago(int $days): string { return gmdate('Y-m-d\TH:i:s\Z', time() - 86400 * $days); }
function show(string $what, $value): void { echo $what, ' ', json_encode($value), "\n"; }

$module = $vouch->new('vouch *');
ask('vouch_open', file_get_contents($argv[2]), FFI::addr($module));
$order = 'php-1';
emit('order.placed', "placed:$order", ago(3), ['order' => ['id' => $order, 'placed_at' => ago(3),
    'customer' => ['id' => 'c-7', 'email' => 'anna@example.test', 'name' => 'Anna'],
    'items' => [['id' => '1', 'product_id' => 'kettle', 'name' => 'Tējkanna']]]]);
emit('order.delivered', "delivered:$order", ago(1), ['order' => ['id' => $order, 'delivered_at' => ago(1)]]);
show('review', emit('review.submitted', "review:$order", ago(0), ['review' => ['id' => "r-$order", 'product_id' => 'kettle',
    'rating' => 4, 'body' => 'Uzvāra ātri.', 'author' => ['customer_id' => 'c-7']]])['review']);  // customer_id: they are logged in
ask('vouch_step', $module, 1000);  // due work, here at the terminal only
while ($event = ask('vouch_take', $module, 0)) {
    echo 'event ', $event['type'], "\n";  // handle it, then say so; unacknowledged it comes again in 30 s
    ask('vouch_ack', $module, $event['id']);
}
$request = json_encode(['method' => 'GET', 'target' => '/products/kettle/reviews', 'headers' => ['accept' => 'application/json']]);
show('summary', json_decode(ask('vouch_serve', $module, $request, strlen($request))['body'], true)['summary']);
ask('vouch_stop', $module, 5000);
show('closed', $vouch->vouch_close($module));
