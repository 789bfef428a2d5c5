-- SPDX-License-Identifier: MIT
-- Drafts of replies from the library, filled with the order's facts. A person sends them.

create or replace function vouch.reply_fill(p_text text, p_facts jsonb) returns text
language plpgsql immutable as $$
declare
  sentence text;
  fact record;
  filled text := '';
begin
  if not p_facts ? 'name' then
    p_text := regexp_replace(regexp_replace(p_text, '(, | يا )\{name\}', '', 'g'), '^\{name\} گرامی، ', '');
  end if;
  for sentence in select m[1] from regexp_matches(p_text, '[^.!?؟]+[.!?؟]*\s*', 'g') as m loop
    for fact in select * from jsonb_each_text(p_facts) loop
      sentence := replace(sentence, '{' || fact.key || '}', fact.value);
    end loop;
    if sentence !~ '\{[a-z_]+\}' then
      filled := filled || sentence;
    end if;
  end loop;
  return btrim(filled);
end
$$;
comment on function vouch.reply_fill is 'Fills in what is known; a sentence that needs something unknown is left out.';

create or replace function vouch.reply_drafts(p_store text, p_review bigint) returns jsonb
language plpgsql stable as $$
declare
  facts jsonb;
  words record;
begin
  select r.locale, r.topics, r.rating, r.author_name, vouch.product_reviewed(v) as product into words
  from vouch.review v
  join vouch.review_revision r on r.store_id = v.store_id and r.review_id = v.review_id and r.revision = v.revision
  where v.store_id = p_store and v.review_id = p_review;
  facts := jsonb_strip_nulls(jsonb_build_object('name', nullif(words.author_name, ''), 'product', replace(words.product, '.', '․'),
      'store', (select s.name from vouch.store s where s.store_id = p_store)))
    || coalesce((select jsonb_strip_nulls(jsonb_build_object('order', f ->> 'order_id', 'delivered', left(f ->> 'delivered_at', 10),
      'promised', left(f ->> 'promised_at', 10), 'delay_days', nullif(f ->> 'delay_days', '0')))
      from (select vouch.order_facts_of(p_store, p_review) as f) o where f is not null), '{}');
  return (
    select coalesce(jsonb_agg(jsonb_build_object('name', t.name, 'topic', t.topic, 'body', replace(concat_ws(E'\n\n',
        nullif(vouch.reply_fill(t.thanks, facts), ''), nullif(vouch.reply_fill(t.empathy, facts), ''),
        nullif(vouch.reply_fill(t.what_happened, facts), ''), nullif(vouch.reply_fill(t.what_we_do, facts), '')), '․', '.'))
      order by (t.topic = any (words.topics)) desc, t.topic = '*' desc, t.name), '[]')
    from (
      select distinct on (x.name) x.* from vouch.reply_template x
      where x.store_id in (p_store, '*') and (x.topic = 'praise') = (words.rating >= 4)
        and x.locale in (split_part(replace(lower(words.locale), '_', '-'), '-', 1), 'en')
      order by x.name, x.locale = 'en', x.store_id = p_store desc) t);
end
$$;
comment on function vouch.reply_drafts is 'The library for a review in its language, else English, those of its topics first.';

create or replace function vouch.reply_draft(review_id bigint) returns jsonb
language plpgsql security definer as $$
declare
  actor record;
begin
  select a.* into actor from vouch.act(null, array['viewer', 'moderator', 'manager']) a;
  return vouch.reply_drafts(actor.store, reply_draft.review_id);
end
$$;
comment on function vouch.reply_draft is 'Drafts for a reply: [{"name","topic","body"}], thanks, empathy, what happened, what we do.';
