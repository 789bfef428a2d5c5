<?php
/* SPDX-License-Identifier: MIT
 * A request of PHP-FPM: loads, opens, does what ?do= says, and ends, with which FFI closes the library. */
$v = FFI::cdef('
    typedef struct vouch vouch;
    int vouch_open(const char *options, vouch **module, char **reply);
    int vouch_start(vouch *module, int threads, char **reply);
    int vouch_stop(vouch *module, int deadline_ms, char **reply);
    int vouch_emit(vouch *module, const char *event, size_t length, char **reply);
    int vouch_close(vouch *module);
    void vouch_free(char *text);', getenv('VOUCH_SO') ?: $_SERVER['VOUCH_SO']);
$m = $v->new('vouch *');
$r = $v->new('char *');
$code = ['open' => $v->vouch_open(file_get_contents($_SERVER['VOUCH_OPTIONS']), FFI::addr($m), FFI::addr($r))];
$v->vouch_free($r);
foreach (explode(',', $_GET['do'] ?? '') as $word) {
    $r = $v->new('char *');
    if ($word === 'start') $code[$word] = $v->vouch_start($m, 1, FFI::addr($r));
    if ($word === 'stop') $code[$word] = $v->vouch_stop($m, 5000, FFI::addr($r));
    if ($word === 'close') $code[$word] = $v->vouch_close($m);
    if ($word === 'emit') {
        $id = $_GET['id'];
        $event = json_encode(['specversion' => '1.0', 'id' => $id, 'source' => '/fpm', 'type' => 'order.placed', 'data' => ['order' => [
            'id' => $id, 'placed_at' => '2026-11-01T10:00:00Z', 'customer' => ['email' => 'anna@example.test'],
            'items' => [['id' => '1', 'product_id' => 'kettle']]]]]);
        $code[$word] = $v->vouch_emit($m, $event, strlen($event), FFI::addr($r));
    }
    $text = FFI::isNull($r) ? null : FFI::string($r);
    $v->vouch_free($r);
    if (($code[$word] ?? 0) < 0) $code["$word.problem"] = $text;
}
header('Content-Type: application/json');
echo json_encode(['pid' => getmypid(), 'code' => $code, 'handle' => $v->cast('size_t', $m)->cdata,
    'threads' => count(scandir('/proc/self/task')) - 2, 'descriptors' => count(scandir('/proc/self/fd'))]);
