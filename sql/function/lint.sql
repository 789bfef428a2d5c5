-- SPDX-License-Identifier: MIT
-- Wording of replies, in en es pt ar fa lv. Here and not in C, so that psql, vouchctl, console and host all pass it.

create or replace function vouch.lint_rules(out category text, out severity text, out pattern text) returns setof record
language sql immutable as $$
  values
    ('legal_threat', 'refuse', '\m(legal action|lawsuit|lawyers?|attorneys?|solicitors?|defamation|defamatory|libel|libellous|slander|cease and desist|take you to court|see you in court|sue you|suing)\M'),
    ('legal_threat', 'refuse', '\m(acci[oó]n(es)? legal(es)?|acciones judiciales|demandarl[eo]s?|demandarte|vamos a demandar|abogad[oa]s?|tribunal(es)?|difamaci[oó]n|calumnias?|querella)\M'),
    ('legal_threat', 'refuse', '\m(a[cç](ão|ões) judicia(l|is)|medidas (judiciais|legais)|process[aá]-l[oa]|process[aá]r(emos)? (você|voce|o senhor|a senhora)|advogad[oa]s?|difama[cç](ão|ões)|calúnia|em tribunal|na justiça)\M'),
    ('legal_threat', 'refuse', '(محامي|محامينا|محامون|المحكمة|القضاء|نقاضي|مقاضا|قضائي|إجراء قانوني|إجراءات قانونية|تشهير)'),
    ('legal_threat', 'refuse', '(وکیل|دادگاه|پیگرد|اقدام قانونی|اقدامات قانونی|شکایت قضایی|تعقیب قضایی|افترا|نشر اکاذیب)'),
    ('legal_threat', 'refuse', '\m(advokāt\w*|juristiem|juristu|ties[āu]|tiesvedīb\w*|tiesisk\w* soļ\w*|neslav\w*|apmelo\w*|prasīb\w* tiesā)\M'),
    ('threat', 'warn', '\m(you will regret|you''ll regret|watch out|there will be consequences|we know where you|we will report you)\M'),
    ('threat', 'warn', '\m(se va a arrepentir|te vas a arrepentir|habrá consecuencias|sabemos dónde|vai se arrepender|vai arrepender-se|haverá consequências|sabemos onde)\M'),
    ('threat', 'warn', '(ستندم|ستتحمل العواقب|نعرف أين|پشیمان خواهید شد|پشیمان می|عواقب آن را|می‌دانیم کجا)'),
    ('threat', 'warn', '\m(jūs to nožēlosi\w*|būs sekas|mēs zinām, kur)\M'),
    ('blame', 'warn', '\m(your (own )?fault|your (own )?mistake|you should have|you failed to|you obviously|you clearly|user error|had you read|you did not read|you didn''t read)\M'),
    ('blame', 'warn', '\m((su|tu) culpa|(su|tu) error|deber[ií]as? haber|debi[oó] haber|no ley[oó]|claramente usted|(sua|tua) culpa|seu erro|deveria ter|devia ter|não leu|claramente você)\M'),
    ('blame', 'warn', '(خطؤك|خطأك|غلطتك|ذنبك|كان عليك|كان يجب عليك|كان ينبغي عليك|لم تقرأ|تقصیر شما|تقصیر خودتان|اشتباه شما|اشتباه خودتان|باید می.?خواندید|نخوانده.?اید)'),
    ('blame', 'warn', '\m(jūsu (pašu )?vaina|jūs pat[si] vainīg\w*|jums vajadzēja|jūsu kļūda|jūs neizlasījāt|acīmredzot jūs)\M'),
    ('defensive', 'warn', '\m(nobody else (has )?complain\w*|no one else (has )?complain\w*|no other customer|not our (fault|problem)|we are not responsible|we''re not responsible|false claims?|you are lying|you''re lying|simply not true|unfair review)\M'),
    ('defensive', 'warn', '\m(nadie más se ha quejado|ning[uú]n otro cliente|no es (nuestra culpa|nuestro problema)|no somos responsables|es mentira|est[aá] mintiendo|rese[ñn]a injusta|nenhum outro cliente|mais ninguém reclamou|não é (nossa culpa|nosso problema)|não somos responsáveis|é mentira|está mentindo|avaliação injusta)\M'),
    ('defensive', 'warn', '(لم يشتك أحد|لا أحد غيرك|ليس خطأنا|ليست مشكلتنا|لسنا مسؤولين|أنت تكذب|هذا كذب|غير عادل|هیچ کس دیگری|هیچ مشتری دیگری|تقصیر ما نیست|مشکل ما نیست|مسئول نیستیم|دروغ می|ناعادلانه)'),
    ('defensive', 'warn', '\m(neviens cits nav sūdzējies|neviens cits klients|nav mūsu (vaina|problēma)|mēs neesam atbildīgi|jūs melojat|tie ir meli|netaisnīga atsauksme)\M')
$$;
comment on function vouch.lint_rules is 'Patterns of wording that no reply needs: refuse or warn. Patterns are PostgreSQL regular expressions, matched without case.';

create or replace function vouch.lint_conditional(p_sentence text) returns boolean
language sql immutable as $$
  select p_sentence ~* '(refund|discount|voucher|coupon|gift|money back|compensat|replacement|credit|reembols|descuento|cup[oó]n|regalo|vale de|compensa|desconto|brinde|presente|estorno|dinheiro de volta|استرداد|خصم|قسيمة|هدية|تعويض|رد المبلغ|بازپرداخت|تخفیف|هدیه|کوپن|جبران|عودت|atmaks|atlaid|dāvan|kupon|kompens|naudu atpakaļ)'
    and p_sentence ~* '(\m(if|once|when|after|provided|unless|exchange|return for|as soon as|si|cambio|cuando|después|despu[eé]s|siempre que|se|troca|quando|depois|assim que|desde que|ja|apmaiņā|tiklīdz|pēc)\M|إذا|اذا|مقابل|بعد أن|بشرط|عندما|اگر|در ازای|در مقابل|به شرط|پس از|وقتی|هنگامی)'
    and p_sentence ~* '(delet|remov|chang|edit|updat|improv|rais|withdraw|take down|modif|borr|elimin|cambi|retir|quit|mejor|actualiz|subir|alter|mud|apag|exclu|melhor|atualiz|aument|حذف|تحذف|تغي|تعد|سحب|تسحب|إزال|تزيل|تحديث|پاک|تغییر|ویرایش|اصلاح|بردار|dzē[sš]|main|izņem|labo|atsauc|palielin)'
    and p_sentence ~* '(review|rating|\mstars?\M|feedback|comment|rese[ñn]a|opini[oó]n|valoraci[oó]n|calificaci[oó]n|estrell|comentario|avalia[cç]|estrela|تقييم|مراجعة|مراجعتك|نجوم|نجمة|تعليق|نظر|امتیاز|ستاره|دیدگاه|بررسی|atsauksm|vērtējum|zvaigzn|komentār)'
$$;
comment on function vouch.lint_conditional is 'One sentence that ties an offer to what becomes of a review (16 CFR 465.4, 465.7(a)).';

create or replace function vouch.reply_lint(body text) returns jsonb
language sql immutable security definer as $$
  select coalesce(jsonb_agg(jsonb_build_object('category', f.category, 'severity', f.severity, 'words', f.words) order by f.severity, f.category, f.words), '[]')
  from (
    select distinct r.category, r.severity, substring(reply_lint.body from '(?i)' || r.pattern) as words
    from vouch.lint_rules() r where reply_lint.body ~* r.pattern
    union
    select 'conditional_offer', 'refuse', left(btrim(s), 200)
    from regexp_split_to_table(reply_lint.body, '[.!?؟\n]+') as s where vouch.lint_conditional(s)
  ) f
$$;
comment on function vouch.reply_lint(text) is
'What is wrong with the wording of a reply: [{"category","severity","words"}]. warn: blame, defensive, threat; refuse: legal_threat, conditional_offer. For people, before they send.';

create or replace function vouch.lint_check(p_body text) returns void
language plpgsql as $$
declare
  found_words jsonb := (select f from jsonb_array_elements(vouch.reply_lint(p_body)) f where f ->> 'severity' = 'refuse' limit 1);
begin
  if found_words is not null then
    perform vouch.refuse('VO105', '/body', case found_words ->> 'category'
      when 'legal_threat' then format('%L reads as a legal threat; leave it out (16 CFR 465.7)', found_words ->> 'words')
      else format('%L ties an offer to changing a review; an offer may not depend on it (16 CFR 465.4)', found_words ->> 'words') end);
  end if;
end
$$;
comment on function vouch.lint_check is 'Refuses what must never be said to a customer about a review.';
